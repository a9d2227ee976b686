// Writes vectors.json and the contracts' JSON ABIs: by viem and plain JavaScript, never by Rust. `npm run generate`.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  compactSignatureToSignature,
  domainSeparator,
  encodeAbiParameters,
  hashStruct,
  hashTypedData,
  keccak256,
  parseCompactSignature,
  parseSignature,
  recoverAddress,
  serializeCompactSignature,
  serializeSignature,
  signatureToCompactSignature,
  toHex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { abi, abiFile, abiText } from './abi.mjs';
import { MAX_BYTES, MAX_ROWS, byte, varint, write } from './blob.mjs';

export const FILE = new URL('vectors.json', import.meta.url);

const MAX = { 8: 255, 16: 65_535, 32: 4_294_967_295, 64: (2n ** 64n - 1n).toString(), 128: (2n ** 128n - 1n).toString() };
const ZERO_ADDRESS = '0x' + '00'.repeat(20);
const MAX_ADDRESS = '0x' + 'ff'.repeat(20);
const NATIVE = ZERO_ADDRESS;
const USDT = '0x000007c000000000000000000000000001200000';

// ---- keys: derived from public text, so they can never hold money

const key = (label) => keccak256(toHex(`rivulet golden vectors: ${label}`));
const accounts = Object.fromEntries(['payer', 'session', 'payee'].map((l) => [l, privateKeyToAccount(key(l))]));
const [payer, session, payee] = ['payer', 'session', 'payee'].map((l) => accounts[l].address.toLowerCase());
const keys = Object.keys(accounts).map((label) => ({ label, privateKey: key(label), address: accounts[label].address.toLowerCase() }));

// ---- deployments and domains

const deployments = [
  { chainId: '420420420', contract: '0x52c84043cd9c865236f11d9fc9f56aa003c1f922' },
  { chainId: '420420419', contract: '0x00000000000000000000000000000000deadbe01' },
  { chainId: MAX[64], contract: MAX_ADDRESS },
];
const NAMES = { channels: 'Rivulet Channels', streams: 'Rivulet Streams' };
/** What no contract takes: the contract is the channels contract that it is about. */
const BESIDE = { relayer: 'Rivulet Relayer', paywall: 'Rivulet Paywall' };

const domain = (kind, { chainId, contract }) => ({
  name: NAMES[kind] ?? BESIDE[kind],
  version: '1',
  chainId: BigInt(chainId),
  verifyingContract: contract,
});

const withSeparators = (at) => ({
  ...at,
  separators: Object.fromEntries(Object.keys(NAMES).map((kind) => [kind, domainSeparator({ domain: domain(kind, at) })])),
});

// ---- values as JSON carries them: integers up to 32 bits as numbers, larger ones as decimal strings

const bits = (type) => Number(type.slice(4));
/** A path of two thousand letters, as some are. */
const LONG = `GET blog.example/${'a/long+way/'.repeat(180)}?q=${'%E2%82%AC'.repeat(20)}`;
const native = (type, value) => (type.startsWith('uint') ? BigInt(value) : value);

const zero = (type) => (type === 'string' ? '' : type === 'address' ? ZERO_ADDRESS : type === 'bytes32' ? '0x' + '00'.repeat(32) : bits(type) > 32 ? '0' : 0);
const max = (type) => (type === 'string' ? LONG : type === 'address' ? MAX_ADDRESS : type === 'bytes32' ? '0x' + 'ff'.repeat(32) : MAX[bits(type)]);

// ---- ids

const CHANNEL_FIELDS = [
  ['uint32', 'book'],
  ['uint32', 'serial'],
  ['address', 'payer'],
  ['address', 'payee'],
  ['address', 'voucherSigner'],
  ['address', 'token'],
  ['uint32', 'challengePeriodSecs'],
  ['uint64', 'openedAt'],
];
const STREAM_FIELDS = [
  ['uint32', 'book'],
  ['uint32', 'serial'],
  ['address', 'payer'],
  ['address', 'payee'],
  ['address', 'token'],
  ['uint64', 'createdAt'],
];

function id(fields, at, terms) {
  const types = ['uint256', 'address', ...fields.map(([t]) => t)].map((type) => ({ type }));
  return keccak256(encodeAbiParameters(types, [BigInt(at.chainId), at.contract, ...fields.map(([t, n]) => native(t, terms[n]))]));
}

const filled = (fields, value) => Object.fromEntries(fields.map(([type, name]) => [name, value(type)]));

const channelTerms = (book, serial, more = {}) => ({
  book,
  serial,
  payer,
  payee,
  voucherSigner: session,
  token: NATIVE,
  challengePeriodSecs: 86_400,
  openedAt: '1760000000',
  ...more,
});
const streamTerms = (book, serial, more = {}) => ({ book, serial, payer, payee, token: USDT, createdAt: '1760000001', ...more });

const channelCases = [
  channelTerms(1, 0),
  channelTerms(1, 1),
  channelTerms(2, 70_000, { voucherSigner: payer, token: USDT, challengePeriodSecs: 1 }),
  filled(CHANNEL_FIELDS, zero),
  filled(CHANNEL_FIELDS, max),
];
const streamCases = [
  streamTerms(1, 0),
  streamTerms(1, 1),
  streamTerms(2, 70_000, { token: NATIVE }),
  filled(STREAM_FIELDS, zero),
  filled(STREAM_FIELDS, max),
];

const ids = (fields, cases) =>
  deployments.flatMap((at, deployment) => cases.map((terms) => ({ deployment, terms, id: id(fields, at, terms) })));

// ---- signed messages

const TYPES = {
  Voucher: 'bytes32 channelId,uint128 cumulativeAmount',
  Open: 'address payer,address payee,address voucherSigner,address token,uint32 challengePeriodSecs,uint128 amount,uint64 nonce,uint64 deadline',
  RequestRefund: 'bytes32 channelId,uint128 amount,uint64 nonce,uint64 deadline',
  Terms:
    'address payee,address token,address beneficiary,uint16 feeBps,uint128 flatFee,uint128 minGain,uint64 until,uint64 nonce,uint64 deadline',
  Close: 'bytes32 channelId,uint128 cumulativeAmount,uint64 nonce,uint64 deadline',
  Collect: 'address owner,address token,address to,uint64 nonce,uint64 deadline',
  Create:
    'address payer,address payee,address token,uint128 ratePerSecondScaled,uint128 total,uint64 startAt,uint64 cliffAt,uint128 cliffAmount,uint64 endAt,uint8 flags,uint128 amount,uint128 committed,bytes32 memo,uint64 nonce,uint64 deadline',
};
/** Signed by a relayer, for its clients: relayer/rules/src/acknowledgement.rs. */
TYPES.Acknowledgement = 'bytes32 channelId,uint128 cumulativeAmount,uint64 acceptedAt';
/** Signed by a payer, for a paywall: relayer/client/src/buy/purchase.rs. Its nonce is 32 bytes, unlike those of the contracts' forms. */
TYPES.Purchase = 'bytes32 channelId,uint128 amount,string request,bytes32 nonce,uint64 validUntil';
const fieldsOf = (type) => TYPES[type].split(',').map((f) => f.split(' '));

const SIGNED = [
  { kind: 'channels', type: 'Voucher', by: 'session' },
  { kind: 'channels', type: 'Open', by: 'payer' },
  { kind: 'channels', type: 'RequestRefund', by: 'payer' },
  { kind: 'channels', type: 'Terms', by: 'payee' },
  { kind: 'channels', type: 'Close', by: 'payee' },
  { kind: 'channels', type: 'Collect', by: 'payee' },
  { kind: 'streams', type: 'Terms', by: 'payee' },
  { kind: 'streams', type: 'Collect', by: 'payee' },
  { kind: 'streams', type: 'Create', by: 'payer' },
];

/** No two fields of a message have the same value, so that a swapped pair changes the hash. */
const TYPICAL = {
  payer,
  payee,
  voucherSigner: session,
  token: USDT,
  challengePeriodSecs: 86_400,
  amount: '2500000000000000000',
  nonce: '9007199254740993',
  deadline: '1760003600',
  beneficiary: '0x00000000000000000000000000000000be9ef1c1',
  feeBps: 250,
  flatFee: '100000000',
  minGain: '20000000000',
  until: '1762000000',
  cumulativeAmount: '1234500000000',
  acceptedAt: '1760007200',
  owner: payee,
  to: '0x000000000000000000000000000000000c011ec7',
  ratePerSecondScaled: '38580246913580',
  total: '340282366920938463463374607431768211454',
  startAt: '1760000100',
  cliffAt: '1760000200',
  cliffAmount: '777000000000',
  endAt: '1791536100',
  flags: 5,
  committed: '1250000000000000000',
  memo: keccak256(toHex('invoice 2025-10')),
  request: 'GET blog.example/articles/1?part=2',
  validUntil: '1760000300',
};

/** What a request can be called: as it is sent, never decoded or put in order. */
const REQUESTS = [
  'HEAD 127.0.0.1:8402/',
  'GET blog.example/a%20b/%C3%BCber%2Funs?q=%25&q=+',
  'GET blog.example/über uns/日本語?q=€ 𝄞',
  'POST blog.example/Articles/../ARTICLES//1;v=2?a=b?c#d',
];

function messageCases(type, channelId) {
  const typical = (t, name) => (name === 'channelId' ? channelId : TYPICAL[name]);
  const message = (value) => Object.fromEntries(fieldsOf(type).map(([t, name]) => [name, value(t, name)]));
  const cases = [message(typical), message(zero), message(max)];
  return type === 'Voucher' ? [...cases, ...['0', '1', MAX[128]].map((cumulativeAmount) => ({ channelId, cumulativeAmount }))] : cases;
}

/** One form of 65 bytes, one of 64. */
const forms = (signature) => ({
  signature,
  compact: serializeCompactSignature(signatureToCompactSignature(parseSignature(signature))),
});

async function sign({ kind, type, by }, at, message) {
  const typed = {
    domain: domain(kind, at),
    types: { [type]: fieldsOf(type).map(([t, name]) => ({ type: t, name })) },
    primaryType: type,
    message: Object.fromEntries(fieldsOf(type).map(([t, name]) => [name, native(t, message[name])])),
  };
  return {
    typeText: `${type}(${TYPES[type]})`,
    message,
    structHash: hashStruct({ data: typed.message, primaryType: type, types: typed.types }),
    digest: hashTypedData(typed),
    signer: accounts[by].address.toLowerCase(),
    ...forms(await accounts[by].signTypedData(typed)),
  };
}

async function messages() {
  const out = [];
  for (const [deployment, at] of deployments.entries()) {
    for (const what of SIGNED) {
      for (const message of messageCases(what.type, id(CHANNEL_FIELDS, at, channelCases[0]))) {
        out.push({ deployment, domain: what.kind, ...(await sign(what, at, message)) });
      }
    }
  }
  return out;
}

/** What a relayer signs when it has stored a voucher. */
async function acknowledgements() {
  const out = [];
  for (const [deployment, at] of deployments.entries()) {
    for (const message of messageCases('Acknowledgement', id(CHANNEL_FIELDS, at, channelCases[0]))) {
      const what = { kind: 'relayer', type: 'Acknowledgement', by: 'session' };
      out.push({ deployment, domain: what.kind, separator: domainSeparator({ domain: domain(what.kind, at) }), ...(await sign(what, at, message)) });
    }
  }
  return out;
}

/** What a payer signs beside a voucher: which request it is for. */
async function purchases() {
  const out = [];
  for (const [deployment, at] of deployments.entries()) {
    const what = { kind: 'paywall', type: 'Purchase', by: 'session' };
    const [typical, ...extremes] = messageCases('Purchase', id(CHANNEL_FIELDS, at, channelCases[0]));
    typical.nonce = keccak256(toHex('purchase 1'));
    for (const message of [typical, ...extremes, ...REQUESTS.map((request) => ({ ...typical, request }))]) {
      out.push({ deployment, domain: what.kind, separator: domainSeparator({ domain: domain(what.kind, at) }), ...(await sign(what, at, message)) });
    }
  }
  return out;
}

// ---- the one form of a signature

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HALF_ORDER = ORDER >> 1n;
const word = (n) => n.toString(16).padStart(64, '0');
const bytes65 = (r, s, v) => '0x' + word(r) + word(s) + byte(v);
const bytes64 = (r, s, parity) => '0x' + word(r) + word(s | (BigInt(parity) << 255n));

const recoverCompact = async (hash, compact) =>
  recoverAddress({ hash, signature: compactSignatureToSignature(parseCompactSignature(compact)) });

async function fails(promise) {
  return promise.then(
    () => false,
    () => true,
  );
}

async function signatureRules() {
  const voucher = { channelId: id(CHANNEL_FIELDS, deployments[0], channelCases[0]), cumulativeAmount: '1' };
  const { digest, signature, signer } = await sign(SIGNED[0], deployments[0], voucher);
  const { r: rHex, s: sHex, yParity } = parseSignature(signature);
  const [r, s] = [BigInt(rHex), BigInt(sHex)];
  const twin = serializeSignature({ r: rHex, s: '0x' + word(ORDER - s), yParity: 1 - yParity });
  if ((await recoverAddress({ hash: digest, signature: twin })).toLowerCase() !== signer) throw new Error('the twin is no twin');

  const accepted = [
    ...[0, 1, 27, 28].map((v) => ({ why: `v ${v}`, signature: bytes65(r, s, v), compact: bytes64(r, s, v % 27) })),
    { why: 's 1', signature: bytes65(r, 1n, 27), compact: bytes64(r, 1n, 0) },
    ...[27, 28].map((v) => ({
      why: `s half the order, v ${v}`,
      signature: bytes65(r, HALF_ORDER, v),
      compact: bytes64(r, HALF_ORDER, v - 27),
    })),
  ];
  const refused65 = [
    { why: 'the high-s twin of a good signature', signature: twin },
    { why: 's one above half the order', signature: bytes65(r, HALF_ORDER + 1n, 27) },
    { why: 's with its top bit clear, but high', signature: bytes65(r, 2n ** 255n - 1n, 28) },
    { why: 's the order', signature: bytes65(r, ORDER, 27) },
    { why: 's all ones', signature: bytes65(r, 2n ** 256n - 1n, 27) },
    { why: 'r zero', signature: bytes65(0n, s, 27) },
    { why: 's zero', signature: bytes65(r, 0n, 27) },
    { why: 'r and s zero', signature: bytes65(0n, 0n, 27) },
    { why: 'a compact form with its parity bit, and a v', signature: bytes64(r, s, 1) + '1c' },
    ...[2, 26, 29, 35, 128, 255].map((v) => ({ why: `v ${v}`, signature: bytes65(r, s, v) })),
  ];
  const refused64 = [
    ...[0, 1].map((parity) => ({ why: `s one above half the order, parity ${parity}`, compact: bytes64(r, HALF_ORDER + 1n, parity) })),
    { why: 's the most that fits', compact: bytes64(r, 2n ** 255n - 1n, 1) },
    { why: 'r zero', compact: bytes64(0n, s, 1) },
    ...[0, 1].map((parity) => ({ why: `s zero, parity ${parity}`, compact: bytes64(r, 0n, parity) })),
  ];
  // Well-formed, so taken apart; but no key made them.
  const unrecoverable = [
    { why: 'r the order', compact: bytes64(ORDER, s, 0) },
    { why: 'r all ones', compact: bytes64(2n ** 256n - 1n, s, 1) },
    { why: 'r 5, which is no point of the curve', compact: bytes64(5n, s, 0) },
  ];
  for (const { why, compact } of unrecoverable) {
    if (!(await fails(recoverCompact(digest, compact)))) throw new Error(`recovered: ${why}`);
  }
  return { digest, signer, accepted, refused65, refused64, unrecoverable };
}

// ---- blobs

const BLOB_DEPLOYMENT = 0;

async function voucherRow(book, serial, cumulativeAmount) {
  const channelId = id(CHANNEL_FIELDS, deployments[BLOB_DEPLOYMENT], channelTerms(book, serial));
  const { compact } = await sign(SIGNED[0], deployments[BLOB_DEPLOYMENT], { channelId, cumulativeAmount });
  return { serial, cumulativeAmount, signature: compact, channelId };
}
const streamRow = (book, serial) => ({ serial });

/** A group of rows with these serials; amounts, for channels, beside them. */
async function group(row, book, fundNew, serials, amounts = []) {
  const rows = [];
  for (const [i, serial] of serials.entries()) rows.push(await row(book, serial, amounts[i] ?? String(1_000_000 + 37 * i)));
  return { book, fundNew, rows };
}

/** What blobs of both kinds can say. */
async function commonBlobs(row) {
  const g = (...args) => group(row, ...args);
  const last = MAX[32];
  return [
    ['one row', [await g(1, false, [0])]],
    ['one row, funding a new account', [await g(1, true, [0])]],
    ['dense serials from 0', [await g(1, false, [0, 1, 2, 3, 4, 5, 6, 7])]],
    ['sparse serials: deltas on both sides of each varint length', [await g(3, false, [126, 254, 383, 16_767, 33_152, 2_130_304, 4_227_457])]],
    ['several groups, neighbours and far apart', [await g(1, false, [0, 2]), await g(2, true, [0]), await g(131, false, [5, 6]), await g(70_000, true, [1])]],
    ['largest book, serial and amount', [await g(last, true, [last], [MAX[128]])]],
    ['smallest and largest, so the largest deltas', [await g(0, false, [0, last], ['0', MAX[128]]), await g(last, true, [0, last], ['1', '10000000000000000'])]],
  ];
}

async function validBlobs(kind, row, more) {
  return [...(await commonBlobs(row)), ...more].map(([why, groups]) => ({ why, groups, bytes: write(kind, groups) }));
}

/** As many rows as a blob can have, and one more: too long to list, so `run` says how many serials there are, from 0. */
const run = (length) => [{ book: 1, fundNew: false, rows: Array.from({ length }, (_, serial) => ({ serial })) }];

function invalidBlobs(kind, version, other, payload) {
  const [v, v2] = [1, 2].map((groups) => '0x' + version + varint(groups));
  const p = payload.replace('0x', '');
  const head = (book, count, flags = 0) => byte(flags) + varint(book) + varint(count);
  const good = v + head(1, 1) + varint(0) + p;
  const first = v2 + head(1, 1) + varint(0) + p;
  const cases = {
    Truncated: [
      ['empty', '0x'],
      ['a version and no more', '0x' + version],
      ['a group count and no group', v],
      ['one group fewer than the count says', first],
      ['ends after the flags', v + '00'],
      ['ends within the book', v + '00' + '80'],
      ['ends after the book', v + '00' + varint(1)],
      ['ends within the count', v + '00' + varint(1) + 'ff'],
      ['a group whose row is missing', v + head(1, 1)],
      ['ends within a serial', v + head(1, 1) + '80'],
      ['one row fewer than the count says', v + head(1, 2) + varint(0) + p],
      ['the largest count and one row', v + head(1, MAX[32]) + varint(0) + p],
      ['ends after the second group’s flags', first + '00'],
      ['a second group whose rows are missing', first + head(0, 1)],
    ],
    NotCanonical: [
      ['group count 1 in two bytes', '0x' + version + varint(1, 1) + head(1, 1) + varint(0) + p],
      ['book 0 in two bytes', v + '00' + varint(0, 1) + varint(1) + varint(0) + p],
      ['book 1 in two bytes', v + '00' + varint(1, 1) + varint(1) + varint(0) + p],
      ['book 2^32 − 1 in six bytes', v + '00' + varint(MAX[32], 1) + varint(1) + varint(0) + p],
      ['count 1 in two bytes', v + '00' + varint(1) + varint(1, 1) + varint(0) + p],
      ['count 0 in two bytes', v + '00' + varint(1) + varint(0, 1)],
      ['serial 0 in three bytes', v + head(1, 1) + varint(0, 2) + p],
      ['serial 0 in nineteen bytes', v + head(1, 1) + varint(0, 18) + p],
      ['the distance to the second serial in two bytes', v + head(1, 2) + varint(0) + p + varint(0, 1) + p],
    ],
    TooLarge: [
      ['group count 2^32', '0x' + version + varint(2n ** 32n) + head(1, 1) + varint(0) + p],
      ['book 2^32', v + head(2n ** 32n, 1) + varint(0) + p],
      ['count 2^32', v + head(1, 2n ** 32n) + varint(0) + p],
      ['serial 2^32', v + head(1, 1) + varint(2n ** 32n) + p],
      ['serial 2^128', v + head(1, 1) + varint(2n ** 128n) + p],
      ['serial 0 in twenty bytes', v + head(1, 1) + varint(0, 19) + p],
      ['the second serial is 2^32', v + head(1, 2) + varint(MAX[32]) + p + varint(0) + p],
      ['the second serial is far above 2^32', v + head(1, 2) + varint(0) + p + varint(MAX[32]) + p],
      ['the second book is 2^32', v2 + head(MAX[32], 1) + varint(0) + p + head(0, 1) + varint(0) + p],
    ],
    Version: [
      ['the other contract’s', '0x' + other + good.slice(4)],
      ['0', '0x00' + good.slice(4)],
      ['the next one', '0x' + byte(parseInt(version, 16) + 1) + good.slice(4)],
      ['and nothing else', '0xff'],
    ],
    Flags: [
      ['bit 1', v + head(1, 1, 2) + varint(0) + p],
      ['bits 0 and 1', v + head(1, 1, 3) + varint(0) + p],
      ['bit 7, as if it were a longer number', v + head(1, 1, 0x80) + varint(0) + p],
      ['in the second group', first + head(0, 1, 2) + varint(0) + p],
    ],
    Empty: [
      ['no groups', '0x' + version + varint(0)],
      ['no groups, and yet one', '0x' + version + varint(0) + head(1, 1) + varint(0) + p],
      ['the only group', v + head(1, 0)],
      ['the first of two groups', v2 + head(1, 0) + head(0, 1) + varint(0) + p],
      ['the last of two groups', first + head(0, 0)],
    ],
    Trailing: [
      ['a zero byte', good + '00'],
      ['another byte', good + 'ff'],
      ['a whole group more than the count says', good + head(0, 1) + varint(0) + p],
    ],
  };
  const list = Object.entries(cases).flatMap(([error, blobs]) => blobs.map(([why, bytes]) => ({ why, bytes, error })));
  return [
    ...list,
    { why: 'a byte too long, whatever it says: zeros up to that length', bytes: v, padTo: MAX_BYTES + 1, error: 'Oversized' },
    { why: 'too long comes before a wrong version', bytes: '0xff', padTo: MAX_BYTES + 1, error: 'Oversized' },
  ];
}

async function blobs() {
  const voucher = await voucherRow(1, 0, '5');
  const payload = varint(voucher.cumulativeAmount) + voucher.signature.slice(2);
  const signature = voucher.signature.slice(2);
  const amounts = ['0', '127', '128', '16383', '16384', '18446744073709551616'];
  const even = Array.from({ length: 128 }, (_, i) => 2 * i);
  const oneChannel = '0x01' + varint(1) + '00' + varint(1) + varint(1) + varint(0);
  const channels = {
    valid: await validBlobs('channels', voucherRow, [
      ['amounts on both sides of each varint length', [await group(voucherRow, 1, false, [0, 1, 2, 3, 4, 5], amounts)]],
    ]),
    invalid: [
      ...invalidBlobs('channels', '01', '81', payload),
      { why: 'ends within an amount', bytes: oneChannel + '80', error: 'Truncated' },
      { why: 'ends before the signature', bytes: oneChannel + varint(5), error: 'Truncated' },
      { why: 'a signature of 63 bytes', bytes: oneChannel + payload.slice(0, -2), error: 'Truncated' },
      { why: 'amount 5 in two bytes', bytes: oneChannel + varint(5, 1) + signature, error: 'NotCanonical' },
      { why: 'amount 0 in nineteen bytes', bytes: oneChannel + varint(0, 18) + signature, error: 'NotCanonical' },
      { why: 'amount 2^128', bytes: oneChannel + varint(2n ** 128n) + signature, error: 'TooLarge' },
      { why: 'amount 2^128 − 1 in twenty bytes', bytes: oneChannel + varint(MAX[128], 1) + signature, error: 'TooLarge' },
    ],
  };
  const streams = {
    valid: [
      ...(await validBlobs('streams', streamRow, [
        ['128 rows, so a count of two bytes', [await group(streamRow, 9, false, even)]],
      ])),
      { why: 'the most rows', groups: [{ book: 1, fundNew: false, run: MAX_ROWS }], bytes: write('streams', run(MAX_ROWS)) },
    ],
    invalid: [
      ...invalidBlobs('streams', '81', '01', ''),
      { why: 'a row too many', bytes: write('streams', run(MAX_ROWS + 1)), error: 'Oversized' },
    ],
  };
  const { book, serial, ...terms } = channelTerms(0, 0);
  return { deployment: BLOB_DEPLOYMENT, terms, channels, streams };
}

// ---- the file

export async function generate() {
  return {
    about: 'Written by tests/vectors/generate.mjs (npm run generate) with viem 2.57.0. Not to be edited by hand. What each part means: README.md.',
    keys,
    deployments: deployments.map(withSeparators),
    channelIds: ids(CHANNEL_FIELDS, channelCases),
    streamIds: ids(STREAM_FIELDS, streamCases),
    messages: await messages(),
    acknowledgements: await acknowledgements(),
    purchases: await purchases(),
    signatures: await signatureRules(),
    blobs: await blobs(),
    abi: abi(),
  };
}

/** JSON with whatever fits on a line of 150 on one line. */
function pretty(value, indent = '') {
  const flat = JSON.stringify(value);
  if (value === null || typeof value !== 'object' || flat.length + indent.length <= 150) return flat;
  const inner = indent + ' ';
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? value.map((v) => pretty(v, inner))
    : Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${pretty(v, inner)}`);
  return `${open}\n${items.map((i) => inner + i).join(',\n')}\n${indent}${close}`;
}

export const text = async () => pretty(await generate()) + '\n';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILE, await text());
  for (const name of Object.keys(NAMES)) writeFileSync(abiFile(name), abiText(name));
}
