// The plug-in alone: what it signs, when it promises more, what it does not believe. The whole way is tests/e2e/tests/x402_fetch.rs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashTypedData, recoverAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { ChannelScheme, forThisRequest, purchase, voucher } from '../dist/index.js';

const signer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const other = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const at = { chainId: 7, address: `0x${'cc'.repeat(20)}` };
const terms = {
  book: 1, serial: 2, channelId: `0x${'44'.repeat(32)}`, payer: other.address, payee: `0x${'a1'.repeat(20)}`, voucherSigner: signer.address,
  token: `0x${'55'.repeat(20)}`, challengePeriodSecs: 60, openedAt: 9, deposit: 1_000n,
};
const offer = (request, state) => ({
  scheme: 'channel', network: 'eip155:7', amount: '100', asset: terms.token, payTo: terms.payee, maxTimeoutSeconds: 300,
  extra: { channels: at.address, relayer: 'http://r', unit: 'request', request, now: 1_800_000_000, ...(state && { state }) },
});
const state = async (accepted, available, by = signer) => ({
  channel_id: terms.channelId, accepted: String(accepted), available: String(available), signature: await by.signTypedData(voucher(at, terms.channelId, BigInt(accepted))),
});
const make = (more = {}) => new ChannelScheme({ signer, channels: [terms], ...more });
const pay = async (scheme, requirements) => (await scheme.createPaymentPayload(2, requirements)).payload;
const total = (payload) => BigInt(payload.voucher.cumulative_amount);
const settled = (scheme, requirements, payload, told) =>
  scheme.schemeHooks.onPaymentResponse({ requirements, paymentPayload: { payload }, settleResponse: { success: true, transaction: '', network: '', extra: { state: told } } });
const refused = (scheme, requirements, payload, error, told) =>
  scheme.schemeHooks.onPaymentResponse({ requirements, paymentPayload: { payload }, paymentRequired: { error, accepts: [offer('', told)] } });

test('both signatures are those that contract and paywall read', async () => {
  const { voucher: v, purchase: p } = await pay(make(), offer('GET h/1'));
  assert.equal(await recoverAddress({ hash: hashTypedData(voucher(at, terms.channelId, 100n)), signature: v.signature }), signer.address);
  const signed = purchase(at, { channelId: terms.channelId, amount: 100n, request: 'GET h/1', nonce: p.nonce, validUntil: BigInt(p.valid_until) });
  assert.equal(await recoverAddress({ hash: hashTypedData(signed), signature: p.signature }), signer.address);
  assert.ok(p.valid_until > 1_800_000_000 && p.valid_until <= 1_800_000_300);
});

test('a lost answer is asked for again by the same purchase, an answered one by a new', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  assert.deepEqual(await pay(scheme, offer('GET h/1')), first);
  await settled(scheme, offer('GET h/1'), first, await state(100, 0));
  const second = await pay(scheme, offer('GET h/1'));
  assert.notEqual(second.purchase.nonce, first.purchase.nonce);
  assert.equal(total(second), 200n);
});

test('credit is spent before more is promised', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  await settled(scheme, offer('GET h/1'), first, await state(100, 70));
  assert.equal(total(await pay(scheme, offer('GET h/2'))), 130n);
});

test('a client that forgot everything goes on from its own signature', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  assert.deepEqual(await refused(scheme, offer('GET h/1'), first, 'not_enough', await state(500, 0)), { recovered: true });
  assert.equal(total(await pay(scheme, offer('GET h/1'))), 600n);
  assert.equal(scheme.promised[terms.channelId], 600n);
});

test('and from nobody else’s', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  const stranger = privateKeyToAccount(`0x${'33'.repeat(32)}`);
  await assert.rejects(refused(scheme, offer('GET h/1'), first, 'not_enough', await state(500, 0, stranger)), /no signature of ours/);
});

test('what was refused costs no further promise', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  await refused(scheme, offer('GET h/1'), first, 'expired');
  assert.equal(total(await pay(scheme, offer('GET h/1'))), 100n);
});

test('purchases at once are each promised for', async () => {
  const scheme = make();
  const payloads = await Promise.all([1, 2, 3].map((n) => pay(scheme, offer(`GET h/${n}`))));
  assert.deepEqual(payloads.map(total), [100n, 200n, 300n]);
  // The last one is answered first: what it shows as left is the others'.
  await settled(scheme, offer('GET h/3'), payloads[2], await state(300, 200));
  assert.equal(total(await pay(scheme, offer('GET h/4'))), 400n);
});

test('the deposit, a limit, another payee and another signer stop it', async () => {
  const broke = make({ promised: { [terms.channelId]: 950n } });
  await assert.rejects(pay(broke, offer('GET h/1')), /top it up/);
  await assert.rejects(make().createPaymentPayload(2, offer('GET h/1'), { maxAmountPerPayment: '99' }), /at most 99/);
  await assert.rejects(pay(make(), { ...offer('GET h/1'), payTo: other.address }), /no channel to/);
  assert.throws(() => new ChannelScheme({ signer: privateKeyToAccount(`0x${'33'.repeat(32)}`), channels: [terms] }), /may not sign/);
});

test('steps are signed for as many at a time as it was told', async () => {
  const bytes = offer('GET h/big');
  bytes.extra.unit = { bytes: 1_000_000 };
  const payload = await pay(make({ steps: 3n }), bytes);
  assert.equal(payload.purchase.amount, '300');
  assert.equal(total(payload), 300n);
});

test('a site cannot have another site\'s page paid', async () => {
  const answer = (request) => async () => new Response('', { status: 402, headers: { 'PAYMENT-REQUIRED': btoa(JSON.stringify({ accepts: [offer(request)] })) } });
  const ask = (request, ...call) => forThisRequest(answer(request))(...call);
  await assert.rejects(ask('GET blog.example/articles/1', 'https://evil.example/x'), /asks to be paid for GET blog\.example\/articles\/1; fetched was GET evil\.example\/x/);
  await assert.rejects(ask('GET h/a', 'http://h/a', { method: 'POST' }), /fetched was POST h\/a/);
  await assert.rejects(ask('GET h/a', new Request('http://h/b')), /fetched was GET h\/b/);
  assert.equal((await ask('GET h:81/a?b=1', 'http://h:81/a?b=1')).status, 402);
});
