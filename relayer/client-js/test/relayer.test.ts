// Vouchers through a real relayer: stored, acknowledged, refused, claimed on chain.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { type ChannelState, type ErrorCode, Channels, type Network, PayChannel, Rejected, Relayer, RivuletError, memoryStore, parseAmount, readDeployment, signVoucher, channelsOf } from '../src/index.js';
import { World, account, networkOf, until, walletOf } from './support/index.js';

const refused = (code: ErrorCode) => (error: unknown) => error instanceof RivuletError && error.code === code;
let world: World;
let network: Network;
let channels: Channels;
let relayer: Relayer;
before(async () => {
  world = await World.start();
  network = await networkOf(world);
  channels = new Channels(network, walletOf(world, 'alith'));
  relayer = await Relayer.connect(await world.relayer(), world.deployment);
});
after(() => world.stop());

const session = privateKeyToAccount(generatePrivateKey());
const open = (): Promise<ChannelState> =>
  channels.open({ payee: account('baltathar').address, voucherSigner: session.address, deposit: parseAmount('5usdc', world.deployment), challengePeriodSecs: 60 });

test('a payment is acknowledged by the relayer\'s own signature, and claimed on chain', async () => {
  const channel = await open();
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  const { receipt, voucher } = await pay.payTo(relayer, 1_000_000n);
  assert.equal(receipt?.signer, relayer.acknowledgementKey);
  assert.equal(receipt?.cumulativeAmount, 1_000_000n);
  const again = await relayer.send(voucher);
  assert.equal(again.receipt?.acceptedAt, receipt?.acceptedAt, 'the same voucher gets the same answer');
  // Relayers send by revive.call, of which eth-rpc has no logs: the view tells.
  await until('the claim', async () => (await pay.refresh()).claimed === 1_000_000n);
});

test('a payer that lost its store goes on from what the relayer has, and is asked for no more', async () => {
  const channel = await open();
  const before = await PayChannel.of(channels, memoryStore(), session, channel);
  await before.payTo(relayer, 700_000n);
  const forgetful = await PayChannel.of(channels, memoryStore(), session, channel);
  assert.equal(forgetful.promised, 0n);
  const { voucher } = await forgetful.payTo(relayer, 50_000n);
  assert.equal(voucher.cumulativeAmount, 750_000n);
  const best = await relayer.best(channel.terms);
  assert.equal(best?.cumulativeAmount, 750_000n);
  assert.equal(best?.signature, voucher.signature);
});

test('each voucher of a batch has its own answer', async () => {
  const channel = await open();
  const at = channelsOf(world.deployment);
  const sign = (total: bigint, signer = session) => signVoucher(at, signer, channel.terms, channel.id, total);
  const results = await relayer.sendAll([await sign(10_000n), await sign(20_000n, privateKeyToAccount(generatePrivateKey())), await sign(9_000_000n), await sign(30_000n)]);
  const codes = results.map((result) => (result instanceof Rejected ? result.problem.code : 'accepted'));
  assert.deepEqual(codes, ['accepted', 'wrong_signer', 'not_covered', 'accepted']);
  const last = results.at(-1)!;
  assert.ok(!(last instanceof Rejected) && last.receipt?.signer === relayer.acknowledgementKey);
});

test('a refusal says why, with a code', async () => {
  const channel = await open();
  const voucher = await signVoucher(channelsOf(world.deployment), session, { book: 77, serial: 1 }, channel.id, 10_000n);
  await assert.rejects(relayer.send(voucher), (error: unknown) => error instanceof Rejected && error.problem.code === 'unknown_channel' && !error.isRetryable);
});

test('a relayer of other contracts is refused', async () => {
  const { channels: at, streams } = world.deployment;
  await assert.rejects(Relayer.connect(relayer.url, { ...world.deployment, channels: streams, streams: at }), refused('wrong_relayer'));
  await assert.rejects(Relayer.connect(relayer.url, { ...world.deployment, chainId: 1 }), refused('wrong_relayer'));
  assert.equal((await Relayer.connect(`${relayer.url}/`, readDeployment(world.deploymentJson))).url, relayer.url);
});

/** A relayer between us and the real one, that answers as it likes. */
async function between(change: (body: string, path: string) => { status?: number; body: string } | undefined): Promise<{ url: string; asked: () => number; close: () => Promise<void> }> {
  let asked = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '/';
      const init = request.method === 'POST' ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.concat(chunks) } : {};
      void fetch(`${relayer.url}${path}`, init).then(async (answer) => {
        const body = await answer.text();
        const changed = path === '/v1/info' ? undefined : change(body, path);
        if (path !== '/v1/info') asked += 1;
        response.writeHead(changed?.status ?? answer.status, { 'content-type': 'application/json' }).end(changed?.body ?? body);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

test('an acknowledgement that is missing or of another key is an error', async () => {
  const channel = await open();
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  const lies: ((answer: { acknowledgement?: { signature: string } }) => void)[] = [
    (answer) => delete answer.acknowledgement,
    (answer) => (answer.acknowledgement!.signature = `0x${'11'.repeat(64)}`),
  ];
  for (const lie of lies) {
    const liar = await between((body) => {
      const answer = JSON.parse(body) as Parameters<typeof lie>[0];
      lie(answer);
      return { body: JSON.stringify(answer) };
    });
    await assert.rejects(pay.payTo(await Relayer.connect(liar.url, world.deployment), 10_000n), refused('not_acknowledged'));
    await liar.close();
  }
});

test('a relayer cannot talk a payer into a higher total', async () => {
  const channel = await open();
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  const forged = await signVoucher(channelsOf(world.deployment), privateKeyToAccount(generatePrivateKey()), channel.terms, channel.id, 4_000_000n);
  const problem = { type: 'urn:rivulet:problem:stale', title: 'Conflict', status: 409, code: 'stale', detail: 'more is stored', best: { cumulative_amount: '4000000', signature: forged.signature } };
  const liar = await between(() => ({ status: 409, body: JSON.stringify(problem) }));
  await assert.rejects(pay.payTo(await Relayer.connect(liar.url, world.deployment), 10_000n), refused('not_ours'));
  assert.equal(pay.promised, 10_000n);
  await liar.close();
});

test('an answer that was lost is asked for again with the same voucher', async () => {
  const channel = await open();
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  let lost = 0;
  const flaky = await between(() => (lost++ === 0 ? { status: 504, body: JSON.stringify({ status: 504, code: 'timeout', detail: 'it may have been stored' }) } : undefined));
  const { voucher } = await pay.payTo(await Relayer.connect(flaky.url, world.deployment), 10_000n);
  assert.deepEqual([flaky.asked(), voucher.cumulativeAmount, (await relayer.best(channel.terms))?.cumulativeAmount], [2, 10_000n, 10_000n]);
  await flaky.close();
});

test('a relayer that is gone is told of, and the voucher can be sent later', async () => {
  const channel = await open();
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  const proxy = await between(() => undefined);
  const gone = await Relayer.connect(proxy.url, world.deployment, { attempts: 1 });
  await proxy.close();
  await assert.rejects(pay.payTo(gone, 10_000n), refused('unreachable'));
  const again = async () => (await pay.sendAgain(relayer))?.voucher.cumulativeAmount;
  assert.equal(await again(), 10_000n);
  assert.equal(await again(), 10_000n, 'nothing more is promised');
  // Another program, with a store of its own, went on from there: that it has more is all that is asked.
  await (await PayChannel.of(channels, memoryStore(), session, channel)).payTo(relayer, 5_000n);
  assert.deepEqual([await again(), pay.promised], [15_000n, 15_000n]);
  const fresh = await PayChannel.of(channels, memoryStore(), session, await open());
  assert.equal(await fresh.sendAgain(relayer), undefined);
});
