// Channels on a real node, by viem: opened in every way, paid from, ended.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import {
  type ChannelState, type ErrorCode, type Network, Channels, PayChannel, RivuletError, type SignedVoucher, type Store, channelsAbi, channelsOf, memoryStore, parseAmount, sessionKey, signVoucher,
} from '../src/index.js';
import { World, account, networkOf, walletOf } from './support/index.js';

const refused = (code: ErrorCode) => (error: unknown) => error instanceof RivuletError && error.code === code;
let world: World;
let network: Network;
let channels: Channels;
before(async () => {
  world = await World.start();
  network = await networkOf(world);
  channels = new Channels(network, walletOf(world, 'alith'));
});
after(() => world.stop());

const payee = account('baltathar').address;
const session = privateKeyToAccount(generatePrivateKey());
const open = (deposit: string, pullBy: 'allowance' | 'permit' = 'allowance', challengePeriodSecs = 60): Promise<ChannelState> =>
  channels.open({ payee, voucherSigner: session.address, deposit: parseAmount(deposit, world.deployment), challengePeriodSecs, pullBy });

/** The payee claims by itself. */
const claim = (voucher: SignedVoucher) => new Channels(network, walletOf(world, 'baltathar')).claim(voucher);

test('a native channel is open and final when open returns, and pays what was promised', async () => {
  const channel = await open('2dot');
  assert.deepEqual([channel.status, channel.deposit, channel.claimed, channel.cover], ['open', 2n * 10n ** 18n, 0n, 2n * 10n ** 18n]);
  assert.ok((await network.block('final')).number >= channel.at.number);
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  await pay.pay(10n ** 17n);
  const voucher = await pay.pay(10n ** 17n);
  assert.equal(voucher.cumulativeAmount, 2n * 10n ** 17n);
  const before = await network.client.getBalance({ address: payee });
  assert.equal((await claim(voucher))?.claimed, voucher.cumulativeAmount);
  // The payee's own transaction costs it a fee, far less than what it earned.
  assert.ok((await network.client.getBalance({ address: payee })) > before + 10n ** 17n);
  assert.equal((await pay.refresh()).claimed, 2n * 10n ** 17n);
});

test('a token channel opens by allowance and by permit', async () => {
  const byAllowance = await open('5usdc');
  assert.equal(byAllowance.deposit, 5_000_000n);
  const byPermit = await open('0.25usdc', 'permit');
  assert.deepEqual([byPermit.deposit, byPermit.token.name, byPermit.terms.book], [250_000n, 'usdc', byAllowance.terms.book]);
  const listed = await channels.listByPayee(payee, byPermit.token);
  assert.deepEqual(listed.slice(-2), [byAllowance, byPermit].map(({ terms: { book, serial } }) => ({ book, serial })));
});

test('a channel whose opening was cut off is found by what was kept before, and no other one is', async () => {
  const at = { payee, voucherSigner: session.address, deposit: parseAmount('3usdc', world.deployment), challengePeriodSecs: 60 };
  await open('3usdc');
  const opening = await channels.opening(at, account('alith').address.toLowerCase() as typeof payee);
  assert.deepEqual(await channels.opened(opening), [], 'one that was there before is another');
  // Of another key, of another payer, for another time, of less; then it, and one that is like it.
  const stranger = privateKeyToAccount(generatePrivateKey()).address;
  await channels.open({ ...at, voucherSigner: stranger });
  await new Channels(network, walletOf(world, 'dorothy')).open(at);
  await open('3usdc', 'allowance', 61);
  await open('2.999999usdc');
  const [first, second] = [await open('3usdc', 'permit'), await open('4usdc')];
  assert.deepEqual((await channels.opened(opening)).map(({ id }) => id), [first.id, second.id]);
  assert.deepEqual(await channels.opened({ ...opening, payee: account('charleth').address }), []);
  // Of a payee that has no book yet.
  const fresh = { ...at, payee: account('ethan').address };
  const early = await channels.opening(fresh, account('alith').address);
  assert.deepEqual([early.fromSerial, await channels.opened(early)], [0, []]);
  const { id } = await channels.open(fresh);
  assert.deepEqual((await channels.opened(early)).map((state) => state.id), [id]);
});

test('what a payee pays relayers is read', async () => {
  const usdt = world.deployment.tokens['usdt']!;
  assert.equal(await channels.relayTerms(payee, usdt), undefined, 'there is no book');
  const until = (await network.block('final')).timestamp + 100_000n;
  const args = [usdt.address, account('ethan').address, 250, 7n, 1_000n, until];
  await network.send(walletOf(world, 'baltathar'), { abi: channelsAbi, address: world.deployment.channels.address, functionName: 'setTerms', args }, 'final');
  assert.deepEqual((await channels.relayTerms(payee, usdt))?.terms, { beneficiary: account('ethan').address, feeBps: 250, flatFee: 7n, minGain: 1_000n, until });
});

test('a top-up covers more, a refund comes back after its period, a close brings the rest', async () => {
  let channel = await open('1usdc');
  channel = await channels.topUp(channel, 500_000n);
  assert.equal(channel.cover, 1_500_000n);
  channel = await channels.requestRefund(channel, 400_000n);
  assert.deepEqual([channel.cover, channel.refundRequested], [1_100_000n, 400_000n]);
  await world.advance(61);
  await channels.finish(channel.terms);
  channel = (await channels.read(channel.terms))!;
  assert.equal(channel.deposit, 1_100_000n);

  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  await claim(await pay.pay(300_000n));
  channel = await channels.requestClose(channel.terms);
  assert.equal(channel.status, 'closing');
  await assert.rejects(channels.finish(channel.terms), /NotDue/, 'the dry run names the refusal');
  await pay.refresh();
  await assert.rejects(pay.pay(1n), refused('not_covered'), 'nothing new counts from the request on');
  await world.advance(61);
  await channels.finish(channel.terms);
  assert.equal(await channels.read(channel.terms), undefined);
});

test('what cannot be is refused before anything is sent', async () => {
  const before = await network.client.getTransactionCount({ address: account('alith').address });
  const wanted = { payee, voucherSigner: session.address, deposit: parseAmount('1dot', world.deployment), challengePeriodSecs: 60 };
  const cases = [
    { ...wanted, payee: account('alith').address },
    { ...wanted, voucherSigner: payee },
    { ...wanted, deposit: { ...wanted.deposit, units: 0n } },
    { ...wanted, deposit: { ...wanted.deposit, units: 150_000_001n } },
  ];
  for (const bad of cases) await assert.rejects(channels.open(bad), refused('bad_input'));
  await assert.rejects(channels.open({ ...wanted, challengePeriodSecs: 999_999_999 }), /BadPeriod/);
  await assert.rejects(channels.open({ ...wanted, deposit: parseAmount('100000000dot', world.deployment) }));
  assert.equal(await network.client.getTransactionCount({ address: account('alith').address }), before);
});

test('a payer keeps its totals and its limits', async () => {
  const channel = await open('1usdc');
  const store = memoryStore();
  const limits = { total: 600_000n, perPayment: 250_000n };
  const pay = await PayChannel.of(channels, store, session, channel, limits);
  for (const units of [250_000n, 250_000n]) await pay.pay(units);
  assert.equal(pay.left, 100_000n);
  await assert.rejects(pay.pay(250_001n), refused('over_limit'));
  await assert.rejects(pay.pay(100_001n), refused('over_limit'));
  for (const units of [0n, -1n]) await assert.rejects(pay.pay(units), refused('bad_input'));

  const again = await PayChannel.find(channels, store, session, channel.terms);
  assert.equal(again.promised, 500_000n);
  assert.equal((await again.pay(1n)).cumulativeAmount, 500_001n);
  assert.equal((await pay.pay(1n)).cumulativeAmount, 500_002n, 'another program with the same store is heard of');
  await assert.rejects(again.pay(500_000n), refused('not_covered'));
});

test('payments at the same time promise one after another', async () => {
  const channel = await open('1usdc');
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  const vouchers = await Promise.all(Array.from({ length: 20 }, () => pay.pay(10_000n)));
  assert.deepEqual(vouchers.map((voucher) => voucher.cumulativeAmount), Array.from({ length: 20 }, (_, i) => BigInt(i + 1) * 10_000n));
});

test('a total is kept before its signature leaves, and a store that fails lets none out', async () => {
  const channel = await open('1usdc');
  const inner = memoryStore();
  let isFull = false;
  const store: Store = { ...inner, set: async (key, value) => (isFull ? Promise.reject(new Error('disk full')) : inner.set(key, value)) };
  const pay = await PayChannel.of(channels, store, session, channel);
  await pay.pay(1_000n);
  isFull = true;
  await assert.rejects(pay.pay(1_000n), /disk full/);
  isFull = false;
  assert.equal((await pay.pay(1_000n)).cumulativeAmount, 2_000n);
});

test('only a total of our own signature is believed', async () => {
  const channel = await open('1usdc');
  const at = channelsOf(world.deployment);
  const ours = await signVoucher(at, session, channel.terms, channel.id, 400_000n);
  const forged = await signVoucher(at, privateKeyToAccount(generatePrivateKey()), channel.terms, channel.id, 900_000n);
  const pay = await PayChannel.of(channels, memoryStore(), session, channel);
  await assert.rejects(pay.resumeFrom(900_000n, forged.signature), refused('not_ours'));
  await assert.rejects(pay.resumeFrom(900_000n, ours.signature), refused('not_ours'), 'the signature is of another total');
  assert.equal(pay.promised, 0n);
  await pay.resumeFrom(400_000n, ours.signature);
  await pay.resumeFrom(400_000n, ours.signature);
  assert.equal((await pay.pay(1n)).cumulativeAmount, 400_001n);

  const tampered = memoryStore();
  await tampered.set(`channel:${channel.id}`, JSON.stringify({ promised: '900000', signature: forged.signature }));
  await assert.rejects(PayChannel.of(channels, tampered, session, channel), refused('storage'));
  await assert.rejects(PayChannel.of(channels, memoryStore(), privateKeyToAccount(generatePrivateKey()), channel), refused('not_ours'));
});

test('a session key is made once', async () => {
  const store = memoryStore();
  const keys = await Promise.all([sessionKey(store), sessionKey(store), sessionKey(store, 'other')]);
  assert.equal(keys[0].address, keys[1].address);
  assert.notEqual(keys[0].address, keys[2].address);
});

test('one who cannot wait takes a channel that is not final yet', async () => {
  const hasty = new Channels(network, walletOf(world, 'charleth'), 'included');
  await world.node('dev_setSealing', false);
  try {
    const opening = hasty.open({ payee, voucherSigner: session.address, deposit: parseAmount('1dot', world.deployment), challengePeriodSecs: 60 });
    let isOpen = false;
    void opening.then(() => (isOpen = true));
    while (!isOpen) await world.node('dev_sealBlock', false);
    const channel = await opening;
    assert.ok((await network.block('final')).number < channel.at.number);
    assert.equal(await channels.read(channel.terms), undefined, 'in no final block');
  } finally {
    await world.node('dev_setSealing', true);
  }
});
