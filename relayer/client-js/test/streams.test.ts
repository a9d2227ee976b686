// Streams on a real node, and their figures computed here beside the chain's views, to the unit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CreateStream, type Live, type Network, type StreamState, SCALE, Streams, liveAt, parseAmount, ratePerSecondScaled, relayFee, streamsAbi, tick } from '../src/index.js';
import { World, account, networkOf, until, walletOf } from './support/index.js';

let world: World;
let network: Network;
let streams: Streams;
let asPayee: Streams;
before(async () => {
  world = await World.start();
  network = await networkOf(world);
  streams = new Streams(network, walletOf(world, 'alith'));
  asPayee = new Streams(network, walletOf(world, 'baltathar'));
});
after(() => world.stop());

const payee = account('baltathar').address;
const create = (deposit: string, rest: Omit<CreateStream, 'payee' | 'deposit'>): Promise<StreamState> =>
  streams.create({ payee, deposit: parseAmount(deposit, world.deployment), ...rest });

const FIGURES = ['deposit', 'paid', 'committed', 'totalDebt', 'coveredDebt', 'uncoveredDebt', 'refundable', 'depletesAt'] as const;

/** What is computed for the time of each new final block is what the chain says there. At times that are not exact, within a unit below. */
async function compare(from: StreamState, steps: number[]): Promise<{ exact: number; near: number }> {
  const seen = { exact: 0, near: 0 };
  for (const secs of steps) {
    await world.advance(secs);
    const now = (await streams.read(from.number))!;
    const here = liveAt(from, now.at);
    const claimable = await network.client.readContract({ abi: streamsAbi, address: world.deployment.streams.address, functionName: 'claimable', args: [now.number.book, now.number.serial], blockNumber: now.block.number });
    const theirs = now.balances;
    if (here.isExact) {
      seen.exact += 1;
      for (const key of FIGURES) assert.equal(here[key], theirs[key], `${key} at ${now.at}`);
      assert.equal(here.claimable, claimable[0]);
    } else {
      seen.near += 1;
      assert.ok(theirs.totalDebt - here.totalDebt >= 0n && theirs.totalDebt - here.totalDebt <= 5n, `${here.totalDebt} for ${theirs.totalDebt}`);
    }
  }
  return seen;
}

test('an open-ended stream: figures computed here are the chain\'s, until and after the money runs out', async () => {
  const stream = await create('1usdc', { flow: { ratePerSecondScaled: ratePerSecondScaled(100_000n, 3_600n) } });
  assert.deepEqual([stream.status, stream.isCancellable, stream.isTransferable], ['streaming', true, false]);
  const seen = await compare(stream, [1, 2, 59, 3_600, 1_000, 20_000, 20_000, 1]);
  assert.equal(seen.near, 0);
});

test('a slow stream, of less than a unit a second', async () => {
  const stream = await create('0.01usdc', { flow: { ratePerSecondScaled: SCALE / 3n } });
  const seen = await compare(stream, [1, 1, 1, 5, 100, 7]);
  assert.equal(seen.near, 0);
});

test('a native stream by total with a cliff, to its end', async () => {
  const start = (await network.block('final')).timestamp + 100n;
  const flow = { total: 3n * 10n ** 18n };
  const stream = await create('2dot', { flow, startAt: start, cliff: { at: start + 50n, amount: 10n ** 18n }, endAt: start + 1_007n, committed: 10n ** 18n });
  assert.equal(stream.status, 'pending');
  const seen = await compare(stream, [10, 95, 50, 13, 400, 300]);
  assert.equal(seen.near, 0);
  await compare(stream, [1_000]);
  const ended = (await streams.read(stream.number))!;
  assert.equal(ended.status, 'ended_insolvent');
  assert.equal(ended.balances.totalDebt, 3n * 10n ** 18n, 'the stated total, exactly');
  assert.equal(liveAt(ended, ended.at + 999n).totalDebt, 3n * 10n ** 18n);
});

test('paused, resumed, at a new rate, topped up, refunded and cancelled', async () => {
  const rate = ratePerSecondScaled(1_000_000n, 86_400n);
  let stream = await create('2usdc', { flow: { ratePerSecondScaled: rate } });
  await world.advance(1_000);
  stream = await streams.pause(stream.number);
  assert.equal(stream.status, 'paused');
  await compare(stream, [100, 5_000]);
  stream = await streams.resume(stream.number);
  const afterPause = await compare(stream, [1, 2, 3, 500, 777, 10_000]);
  assert.equal(afterPause.exact + afterPause.near, 6);
  stream = await streams.adjustRate(stream.number, rate * 2n);
  await compare(stream, [1, 2, 3, 500]);
  const before = stream.balances.deposit;
  stream = await streams.topUp(stream, 100_000n);
  assert.equal(stream.balances.deposit, before + 100_000n);
  stream = await streams.refund(stream.number, 50_000n);
  assert.equal(stream.balances.deposit, before + 50_000n);
  const claimed = await asPayee.claim((await streams.read(stream.number))!, { units: 1_000n });
  assert.equal(claimed?.balances.paid, 1_000n);
  await compare(claimed!, [1, 10, 100]);
  // The payer's side is paid at once; the payee's waits.
  const cancelled = await streams.cancel(stream.number);
  assert.equal(cancelled?.status, 'cancelled');
  assert.equal(cancelled?.balances.refundable, 0n);
  assert.equal(liveAt(cancelled!, cancelled!.at + 100n).claimable, cancelled!.balances.coveredDebt);
  assert.equal(await asPayee.claim(cancelled!), undefined, 'claimed to the end, it has no record');
});

test('a relay fee is what the chain would take', async () => {
  const { deployment } = world;
  const usdt = deployment.tokens['usdt']!;
  const stream = await create('1usdt', { flow: { ratePerSecondScaled: 1_000n * SCALE } });
  const until = (await network.block('final')).timestamp + 100_000n;
  const terms = [usdt.address, account('ethan').address, 250, 7n, 1_000n, until];
  await network.send(walletOf(world, 'baltathar'), { abi: streamsAbi, address: deployment.streams.address, functionName: 'setTerms', args: terms }, 'final');
  await world.advance(123);
  const now = (await streams.read(stream.number))!;
  const known = (await streams.relayTerms(payee, usdt))!;
  const [gain, fee] = await network.client.readContract({ abi: streamsAbi, address: deployment.streams.address, functionName: 'claimable', args: [now.number.book, now.number.serial], blockNumber: now.block.number });
  assert.ok(fee > 0n);
  assert.equal(relayFee(known.terms, known.ceilingBps, usdt, gain, now.at), fee);
  assert.deepEqual(await streams.listByPayee(payee, usdt), [stream.number]);
});

test('a ticking balance grows without asking, follows the chain, and stops when the stream is gone', async () => {
  const stream = await create('1usdc', { flow: { ratePerSecondScaled: 1_000n * SCALE } });
  const figures: (Live | undefined)[] = [];
  const stop = tick(streams, stream.number, (live) => figures.push(live), { everyMs: 100, refreshMs: 1_000 });
  try {
    await until('three different figures', async () => new Set(figures.map((live) => live?.coveredDebt)).size >= 3);
    const seen = figures.map((live) => live?.coveredDebt ?? 0n);
    assert.deepEqual([...seen].sort((a, b) => Number(a - b)), seen, 'it never falls');
    await asPayee.cancel(stream.number);
    await until('the end', async () => figures.at(-1) === undefined);
  } finally {
    stop();
  }
});
