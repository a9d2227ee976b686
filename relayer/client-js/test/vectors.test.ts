// The golden vectors of tests/vectors, by what dapps call.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Hex, getAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Binding, acknowledgementDigest, channelId, isSignedBy, purchaseData, purchaseDigest, signVoucher, signerOf, toCompact, voucherDigest } from '../src/index.js';
import { ROOT } from './support/processes.js';

interface Message { deployment: number; typeText: string; message: Record<string, string>; digest: Hex; signer: Hex; signature: Hex; compact: Hex }
interface Vectors {
  keys: { privateKey: Hex; address: Hex }[];
  deployments: { chainId: string; contract: Hex }[];
  channelIds: { deployment: number; terms: Record<string, string | number>; id: Hex }[];
  messages: Message[];
  acknowledgements: Message[];
  purchases: Message[];
  signatures: { digest: Hex; signer: Hex; accepted: { signature: Hex; compact: Hex }[]; refused65: { signature: Hex; why: string }[]; refused64: { compact: Hex; why: string }[]; unrecoverable: { compact: Hex }[] };
}
const vectors = JSON.parse(readFileSync(`${ROOT}tests/vectors/vectors.json`, 'utf8')) as Vectors;
const at = (i: number): Binding => {
  const { chainId, contract } = vectors.deployments[i]!;
  return { chainId: BigInt(chainId), contract: getAddress(contract) };
};
const address = (value: unknown) => getAddress(String(value));

test('channel ids are the hashes of their terms', () => {
  for (const { deployment, terms, id } of vectors.channelIds) {
    const { book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt } = terms;
    const given = { book: Number(book), serial: Number(serial), payer: address(payer), payee: address(payee), voucherSigner: address(voucherSigner), token: address(token), challengePeriodSecs: Number(challengePeriodSecs), openedAt: BigInt(openedAt!) };
    assert.equal(channelId(at(deployment), given), id);
  }
});

test('vouchers have the same digest and, signed by the same key, the same bytes', async () => {
  const vouchers = vectors.messages.filter(({ typeText }) => typeText.startsWith('Voucher('));
  assert.ok(vouchers.length > 0);
  for (const { deployment, message, digest, signer, signature, compact } of vouchers) {
    const [id, total] = [message['channelId'] as Hex, BigInt(message['cumulativeAmount']!)];
    assert.equal(voucherDigest(at(deployment), id, total), digest);
    const key = vectors.keys.find((known) => known.address === signer)!;
    const voucher = await signVoucher(at(deployment), privateKeyToAccount(key.privateKey), { book: 1, serial: 2 }, id, total);
    assert.equal(voucher.signature, compact);
    assert.equal(toCompact(signature), compact);
    assert.ok(await isSignedBy(at(deployment), [address(signer)], id, total, compact));
    assert.ok(!(await isSignedBy(at(deployment), [address(signer)], id, total ^ 1n, compact)));
  }
});

test('acknowledgements are read as relayers sign them', async () => {
  for (const { deployment, message, digest, signer, compact } of vectors.acknowledgements) {
    const { channelId: id, cumulativeAmount, acceptedAt } = message as { channelId: Hex; cumulativeAmount: string; acceptedAt: string };
    assert.equal(acknowledgementDigest(at(deployment), id, BigInt(cumulativeAmount), BigInt(acceptedAt)), digest);
    assert.equal(await signerOf(digest, compact), address(signer));
  }
});

test('purchases have the same digest and, signed by the same key, the same bytes', async () => {
  assert.ok(vectors.purchases.length > 0);
  for (const { deployment, message, digest, signer, signature, compact } of vectors.purchases) {
    const { channelId: id, amount, request, nonce, validUntil } = message as { channelId: Hex; amount: string; request: string; nonce: Hex; validUntil: string };
    const purchase = { channelId: id, amount: BigInt(amount), request, nonce, validUntil: BigInt(validUntil) };
    assert.equal(purchaseDigest(at(deployment), purchase), digest);
    const key = vectors.keys.find((known) => known.address === signer)!;
    assert.equal(await privateKeyToAccount(key.privateKey).signTypedData(purchaseData(at(deployment), purchase)), signature);
    assert.equal(await signerOf(digest, compact), address(signer));
    assert.notEqual(purchaseDigest(at(deployment), { ...purchase, request: `${request} ` }), digest);
  }
});

test('signatures count in one form, and what the contract refuses is refused here', async () => {
  const { digest, accepted, refused65, refused64, unrecoverable } = vectors.signatures;
  for (const { signature, compact } of accepted) assert.equal(toCompact(signature), compact);
  for (const { signature, why } of refused65) assert.equal(toCompact(signature), undefined, why);
  for (const { compact, why } of refused64) assert.equal(await signerOf(digest, compact), undefined, why);
  for (const { compact } of unrecoverable) assert.equal(await signerOf(digest, compact), undefined);
});
