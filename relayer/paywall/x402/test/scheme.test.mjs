// The plug-in alone: what it signs, when it promises more, what it does not believe. The whole way is tests/e2e/tests/x402_fetch.rs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { compactSignatureToSignature, getAddress, hashTypedData, parseCompactSignature, recoverAddress, serializeSignature } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { channelId } from '../dist/client-js/src/typed-data.js';
import { ChannelScheme, forThisRequest, memoryStore, purchaseData, voucherData } from 'rivulet-x402';

const signer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const other = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const stranger = privateKeyToAccount(`0x${'33'.repeat(32)}`);
const at = { chainId: 7, contract: getAddress(`0x${'cc'.repeat(20)}`) };
const terms = {
  book: 1, serial: 2, payer: other.address, payee: `0x${'a1'.repeat(20)}`, voucherSigner: signer.address, token: `0x${'55'.repeat(20)}`, challengePeriodSecs: 60, openedAt: 9n,
};
const opened = { terms, id: channelId(at, terms), cover: 1_000n, claimed: 0n };
const offer = (request, state) => ({
  scheme: 'channel', network: 'eip155:7', amount: '100', asset: terms.token, payTo: terms.payee, maxTimeoutSeconds: 300,
  extra: { channels: at.contract, relayer: 'http://r', unit: 'request', request, now: 1_800_000_000, ...(state && { state }) },
});
const state = async (accepted, available, by = signer) => ({
  channel_id: opened.id, accepted: String(accepted), available: String(available), signature: await by.signTypedData(voucherData(at, opened.id, BigInt(accepted))),
});
const make = (more = {}) => new ChannelScheme({ signer, channels: [opened], ...more });
const pay = async (scheme, requirements) => (await scheme.createPaymentPayload(2, requirements)).payload;
const total = (payload) => BigInt(payload.voucher.cumulative_amount);
const long = (compact) => serializeSignature(compactSignatureToSignature(parseCompactSignature(compact)));
const signedBy = (typed, signature) => recoverAddress({ hash: hashTypedData(typed), signature: long(signature) });
const settled = (scheme, requirements, payload, told) =>
  scheme.schemeHooks.onPaymentResponse({
    requirements, paymentPayload: { payload }, settleResponse: { success: true, transaction: '', network: '', amount: payload.purchase.amount, extra: { state: told } },
  });
const refused = (scheme, requirements, payload, error, told) =>
  scheme.schemeHooks.onPaymentResponse({ requirements, paymentPayload: { payload }, paymentRequired: { error, accepts: [offer('', told)] } });
const code = (expected) => (error) => error.code === expected;

test('both signatures are those that contract and paywall read', async () => {
  const { voucher: v, purchase: p } = await pay(make(), offer('GET h/1'));
  assert.equal(await signedBy(voucherData(at, opened.id, 100n), v.signature), signer.address);
  const signed = purchaseData(at, { channelId: opened.id, amount: 100n, request: 'GET h/1', nonce: p.nonce, validUntil: BigInt(p.valid_until) });
  assert.equal(await signedBy(signed, p.signature), signer.address);
  assert.ok(p.valid_until > 1_800_000_000 && p.valid_until <= 1_800_000_300);
});

test('purchases have the bytes of the golden vectors', async () => {
  const vectors = JSON.parse(readFileSync(new URL('../../../../tests/vectors/vectors.json', import.meta.url)));
  assert.ok(vectors.purchases.length > 0);
  for (const { deployment, message, digest, signer: by, signature } of vectors.purchases) {
    const { chainId, contract } = vectors.deployments[deployment];
    const typed = purchaseData({ chainId: BigInt(chainId), contract }, { ...message, amount: BigInt(message.amount), validUntil: BigInt(message.validUntil) });
    assert.equal(hashTypedData(typed), digest);
    assert.equal(await privateKeyToAccount(vectors.keys.find(({ address }) => address === by).privateKey).signTypedData(typed), signature);
  }
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
  assert.deepEqual(await scheme.promised(), { [opened.id]: 600n });
});

test('and from nobody else’s', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  await assert.rejects(refused(scheme, offer('GET h/1'), first, 'not_enough', await state(500, 0, stranger)), code('not_ours'));
  assert.deepEqual(await scheme.promised(), { [opened.id]: 100n });
});

test('a program with the same store knows what was promised, and has the purchase whose answer was lost', async () => {
  const store = memoryStore();
  const lost = await pay(make({ store }), offer('GET h/1'));
  const next = make({ store });
  assert.deepEqual(await pay(next, offer('GET h/1')), lost);
  assert.equal(total(await pay(next, offer('GET h/2'))), 200n);
});

test('what was refused costs no further promise', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('GET h/1'));
  assert.equal(await refused(scheme, offer('GET h/1'), first, 'expired'), undefined);
  assert.equal(total(await pay(scheme, offer('GET h/1'))), 100n);
});

test('what was served too often is bought anew', async () => {
  const scheme = make();
  const first = await pay(scheme, offer('POST h/1'));
  assert.deepEqual(await refused(scheme, offer('POST h/1'), first, 'used_up', await state(100, 0)), { recovered: true });
  assert.equal(total(await pay(scheme, offer('POST h/1'))), 200n);
});

test('purchases at once are each promised for', async () => {
  const scheme = make();
  const payloads = await Promise.all([1, 2, 3].map((n) => pay(scheme, offer(`GET h/${n}`))));
  assert.deepEqual(payloads.map(total), [100n, 200n, 300n]);
  // The last one is answered first: what it shows as left is the others'.
  await settled(scheme, offer('GET h/3'), payloads[2], await state(300, 200));
  assert.equal(total(await pay(scheme, offer('GET h/4'))), 400n);
});

test('the deposit, a limit, another payee, contract or chain, and another signer stop it', async () => {
  await assert.rejects(pay(make({ channels: [{ ...opened, cover: 99n }] }), offer('GET h/1')), code('not_covered'));
  await assert.rejects(make().createPaymentPayload(2, offer('GET h/1'), { maxAmountPerPayment: '99' }), code('over_limit'));
  const scheme = make({ limits: { perSite: 150n } });
  await pay(scheme, offer('GET h/1'));
  await assert.rejects(pay(scheme, offer('GET h/2')), code('over_limit'));
  assert.equal(total(await pay(scheme, offer('GET elsewhere/2'))), 200n);
  await assert.rejects(pay(make(), { ...offer('GET h/1'), payTo: other.address }), code('no_channel'));
  await assert.rejects(pay(make(), { ...offer('GET h/1'), network: 'eip155:8' }), code('wrong_contract'));
  const moved = offer('GET h/1');
  moved.extra.channels = other.address;
  await assert.rejects(pay(make(), moved), code('wrong_contract'));
  assert.throws(() => make({ signer: stranger }), code('not_ours'));
});

test('steps are signed for as many at a time as it was told', async () => {
  const bytes = offer('GET h/big');
  bytes.extra.unit = { bytes: 1_000_000 };
  const payload = await pay(make({ steps: 3n }), bytes);
  assert.equal(payload.purchase.amount, '300');
  assert.equal(total(payload), 300n);
});

test('an offer that is none is refused', async () => {
  for (const [field, value] of [['amount', '0'], ['amount', 100], ['asset', '0x1'], ['network', 'solana:1'], ['extra', {}]]) {
    await assert.rejects(pay(make(), { ...offer('GET h/1'), [field]: value }), code('bad_answer'), field);
  }
});

test('a site cannot have another site\'s page paid', async () => {
  const answer = (request) => async () => new Response('', { status: 402, headers: { 'PAYMENT-REQUIRED': btoa(JSON.stringify({ accepts: [offer(request)] })) } });
  const ask = (request, ...call) => forThisRequest(answer(request))(...call);
  await assert.rejects(ask('GET blog.example/articles/1', 'https://evil.example/x'), /asks to be paid for GET blog\.example\/articles\/1; fetched was GET evil\.example\/x/);
  await assert.rejects(ask('GET h/a', 'http://h/a', { method: 'POST' }), /fetched was POST h\/a/);
  await assert.rejects(ask('GET h/a', new Request('http://h/b')), /fetched was GET h\/b/);
  assert.equal((await ask('GET h:81/a?b=1', 'http://h:81/a?b=1')).status, 402);
  // Nor by a redirect to it: what is signed would be sent to the site that was asked.
  const redirected = async () => Object.defineProperty(await answer('GET blog.example/articles/1')(), 'url', { value: 'https://blog.example/articles/1' });
  await assert.rejects(forThisRequest(redirected)('https://evil.example/x'), /fetched was GET evil\.example\/x/);
});

test('a payment follows no redirect', async () => {
  const heard = [];
  const server = createServer(({ url, headers }, response) => {
    heard.push([url, headers['payment-signature']]);
    response.writeHead(url === '/led' ? 302 : 200, url === '/led' ? { location: '/thief' } : {}).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ask = forThisRequest(fetch);
  const led = `http://127.0.0.1:${server.address().port}/led`;
  const headers = { 'PAYMENT-SIGNATURE': 'paid' };
  const answer = await ask(new Request(led, { headers }));
  assert.deepEqual([answer.status, answer.headers.get('location')], [302, '/thief']);
  await assert.rejects(ask(led, { headers, redirect: 'error' }), code('redirected'));
  assert.equal((await ask(led)).status, 200);
  assert.deepEqual(heard, [['/led', 'paid'], ['/led', 'paid'], ['/led', undefined], ['/thief', undefined]]);
  server.close();
});
