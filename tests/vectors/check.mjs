// Checks vectors.json: that generate.mjs still writes it, and that ethers and a second reader of the blob format agree with every value.
// Knows the files and ethers; of generate.mjs and abi.mjs only their text. `npm run check`; the last line counts.

import { readFileSync } from 'node:fs';
import { AbiCoder, Interface, Signature, TypedDataEncoder, Wallet, getAddress, keccak256, recoverAddress } from 'ethers';
import { abiFile, abiText, errorLists } from './abi.mjs';
import { FILE, text } from './generate.mjs';

const committed = readFileSync(FILE, 'utf8');
const vectors = JSON.parse(committed);
let passed = 0;
let failed = 0;

function same(what, got, expected) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a === b) return passed++;
  failed++;
  console.error(`${what}: expected ${b}, got ${a}`);
}

/** The value, or the text of what was thrown. */
function attempt(f) {
  try {
    return f();
  } catch (e) {
    return `${e.message ?? e}`;
  }
}

const lower = (address) => address.toLowerCase();
const recover = (digest, signature) => attempt(() => lower(recoverAddress(digest, signature)));

// ---- ids and domains

const NAMES = { channels: 'Rivulet Channels', streams: 'Rivulet Streams' };
const BESIDE = { relayer: 'Rivulet Relayer', paywall: 'Rivulet Paywall' };
const domain = (kind, { chainId, contract }) => ({ name: NAMES[kind] ?? BESIDE[kind], version: '1', chainId, verifyingContract: getAddress(contract) });

const ID_TYPES = {
  channelIds: ['uint256', 'address', 'uint32', 'uint32', 'address', 'address', 'address', 'address', 'uint32', 'uint64'],
  streamIds: ['uint256', 'address', 'uint32', 'uint32', 'address', 'address', 'address', 'uint64'],
};

function id(list, at, terms) {
  return keccak256(AbiCoder.defaultAbiCoder().encode(ID_TYPES[list], [at.chainId, at.contract, ...Object.values(terms)]));
}

function checkIds() {
  for (const { label, privateKey, address } of vectors.keys) same(`key ${label}`, lower(new Wallet(privateKey).address), address);
  for (const at of vectors.deployments) {
    for (const kind of Object.keys(NAMES)) {
      same(`separator ${kind} ${at.chainId}`, TypedDataEncoder.hashDomain(domain(kind, at)), at.separators[kind]);
    }
  }
  for (const list of Object.keys(ID_TYPES)) {
    vectors[list].forEach((v, i) => same(`${list} ${i}`, id(list, vectors.deployments[v.deployment], v.terms), v.id));
    same(`${list} differ`, new Set(vectors[list].map((v) => v.id)).size, vectors[list].length);
  }
}

// ---- messages

/** `Name(type field,...)` as ethers wants it. */
function parseType(typeText) {
  const [, name, fields] = typeText.match(/^(\w+)\((.*)\)$/);
  const types = { [name]: fields.split(',').map((f) => ({ type: f.split(' ')[0], name: f.split(' ')[1] })) };
  return { name, types };
}

function checkMessage(v, i) {
  const what = `message ${i} ${v.typeText.split('(')[0]}`;
  const { name, types } = parseType(v.typeText);
  const at = domain(v.domain, vectors.deployments[v.deployment]);
  same(`${what} type`, attempt(() => TypedDataEncoder.from(types).encodeType(name)), v.typeText);
  same(`${what} struct hash`, attempt(() => TypedDataEncoder.hashStruct(name, types, v.message)), v.structHash);
  same(`${what} digest`, attempt(() => TypedDataEncoder.hash(at, types, v.message)), v.digest);
  same(`${what} signer`, recover(v.digest, v.signature), v.signer);
  same(`${what} signer of the compact form`, recover(v.digest, v.compact), v.signer);
  same(`${what} compact form`, attempt(() => Signature.from(v.signature).compactSerialized), v.compact);
  const wallet = new Wallet(vectors.keys.find((k) => k.address === v.signer).privateKey);
  same(`${what} signature`, wallet.signingKey.sign(v.digest).serialized, v.signature);
}

function checkMessages() {
  const all = [...vectors.messages, ...vectors.acknowledgements, ...vectors.purchases];
  all.forEach(checkMessage);
  same('digests differ', new Set(all.map((v) => v.digest)).size, all.length);
  [...vectors.acknowledgements, ...vectors.purchases].forEach((v, i) => {
    same(`${v.domain} ${i} separator`, TypedDataEncoder.hashDomain(domain(v.domain, vectors.deployments[v.deployment])), v.separator);
  });
}

// ---- the one form of a signature

const ORDER = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const number = (hex) => BigInt('0x' + hex);

const goodScalars = (r, s) => r > 0n && s > 0n && s <= ORDER / 2n;

/** The compact form of 65 bytes, or null when they are to be refused. */
function toCompact(signature) {
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), Number('0x' + signature.slice(130))];
  if (![0, 1, 27, 28].includes(v) || !goodScalars(number(r), number(s))) return null;
  const parity = [1, 28].includes(v) ? 1n : 0n;
  return '0x' + r + (number(s) | (parity << 255n)).toString(16).padStart(64, '0');
}

const isGoodCompact = (compact) => goodScalars(number(compact.slice(2, 66)), number(compact.slice(66)) & ((1n << 255n) - 1n));

function checkSignatures() {
  const { digest, signer, accepted, refused65, refused64, unrecoverable } = vectors.signatures;
  for (const { why, signature, compact } of accepted) {
    same(`accepted: ${why}`, toCompact(signature), compact);
    same(`accepted, by ethers: ${why}`, attempt(() => Signature.from(signature).compactSerialized), compact);
    same(`accepted: ${why}, compact`, isGoodCompact(compact), true);
  }
  same('one of the first four recovers', accepted.slice(0, 4).some((v) => recover(digest, v.signature) === signer), true);
  for (const { why, signature } of refused65) same(`refused: ${why}`, toCompact(signature), null);
  for (const { why, compact } of refused64) same(`refused: ${why}`, isGoodCompact(compact), false);
  for (const { why, compact } of unrecoverable) {
    same(`taken apart: ${why}`, isGoodCompact(compact), true);
    same(`unrecoverable: ${why}`, /^0x[0-9a-f]{40}$/.test(recover(digest, compact)), false);
  }
}

// ---- a reader of blobs

class Reader {
  constructor(hex) {
    this.bytes = Buffer.from(hex.slice(2), 'hex');
    this.at = 0;
  }
  take(length) {
    if (this.at + length > this.bytes.length) throw 'Truncated';
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  number(bits) {
    let value = 0n;
    for (let i = 0n; ; i++) {
      const byte = this.take(1)[0];
      value += BigInt(byte & 0x7f) << (7n * i);
      if (i > 18n || value >= 1n << 128n) throw 'TooLarge';
      if (byte >= 0x80) continue;
      if (byte === 0 && i > 0n) throw 'NotCanonical';
      if (value >= 1n << BigInt(bits)) throw 'TooLarge';
      return value;
    }
  }
  ascending(previous) {
    const n = Number(this.number(32)) + (previous === undefined ? 0 : previous + 1);
    if (n >= 2 ** 32) throw 'TooLarge';
    return n;
  }
  row(kind, previous) {
    const serial = this.ascending(previous);
    if (kind === 'streams') return { serial };
    return { serial, cumulativeAmount: this.number(128).toString(), signature: '0x' + this.take(64).toString('hex') };
  }
  group(kind, previous, budget) {
    const flags = this.take(1)[0];
    if (flags > 1) throw 'Flags';
    const group = { book: this.ascending(previous), fundNew: flags === 1, rows: [] };
    const count = Number(this.number(32));
    if (count === 0) throw 'Empty';
    while (group.rows.length < count) {
      group.rows.push(this.row(kind, group.rows.at(-1)?.serial));
      if (group.rows.length > budget) throw 'Oversized';
    }
    return group;
  }
}

function read(kind, hex) {
  const reader = new Reader(hex);
  if (reader.bytes.length > 122_880) throw 'Oversized';
  if (reader.take(1)[0] !== { channels: 0x01, streams: 0x81 }[kind]) throw 'Version';
  const count = Number(reader.number(32));
  if (count === 0) throw 'Empty';
  const groups = [];
  let budget = 3_000;
  while (groups.length < count) {
    groups.push(reader.group(kind, groups.at(-1)?.book, budget));
    budget -= groups.at(-1).rows.length;
  }
  if (reader.at < reader.bytes.length) throw 'Trailing';
  return groups;
}

const padded = ({ bytes, padTo }) => (padTo === undefined ? bytes : bytes.padEnd(2 + 2 * padTo, '0'));
const expand = (group) => (group.run === undefined ? group.rows : Array.from({ length: group.run }, (_, serial) => ({ serial })));

/** The groups as a reader sees them: without what only helps to check the signatures. */
const content = (groups) =>
  groups.map((g) => ({ book: g.book, fundNew: g.fundNew, rows: expand(g).map(({ channelId, ...row }) => row) }));

function checkVouchers({ why, groups }) {
  const at = vectors.deployments[vectors.blobs.deployment];
  const { types } = parseType('Voucher(bytes32 channelId,uint128 cumulativeAmount)');
  for (const { book, rows } of groups) {
    for (const row of rows) {
      same(`${why}: channel id of ${book}/${row.serial}`, id('channelIds', at, { book, serial: row.serial, ...vectors.blobs.terms }), row.channelId);
      const digest = TypedDataEncoder.hash(domain('channels', at), types, { channelId: row.channelId, cumulativeAmount: row.cumulativeAmount });
      same(`${why}: signer of ${book}/${row.serial}`, recover(digest, row.signature), vectors.blobs.terms.voucherSigner);
    }
  }
}

function checkBlobs() {
  for (const kind of ['channels', 'streams']) {
    const { valid, invalid } = vectors.blobs[kind];
    for (const v of valid) same(`${kind} blob: ${v.why}`, attempt(() => read(kind, v.bytes)), content(v.groups));
    for (const v of invalid) same(`${kind} blob refused: ${v.why}`, attempt(() => read(kind, padded(v))), v.error);
  }
  vectors.blobs.channels.valid.forEach(checkVouchers);
}

// ---- the interface

function checkErrors() {
  const { documented, declared } = errorLists();
  same('errors of contracts/README.md', documented, declared);
}

function checkAbi(kind) {
  const { functions, events, items } = vectors.abi[kind];
  const abi = new Interface(items);
  const selectors = {};
  const topics = {};
  abi.forEachFunction((f) => (selectors[f.format('sighash')] = f.selector));
  abi.forEachEvent((e) => (topics[e.format('sighash')] = e.topicHash));
  const sorted = (o) => Object.entries(o).sort();
  same(`${kind} selectors`, sorted(selectors), sorted(functions));
  same(`${kind} topics`, sorted(topics), sorted(events));
  same(`${kind} selectors differ`, new Set(Object.values(functions)).size, Object.keys(functions).length);
  const released = readFileSync(abiFile(kind), 'utf8');
  same(`deployments/bundles/${kind}.abi.json is current (npm run generate)`, released, abiText(kind));
  same(`${kind} errors have selectors of their own`, new Set(new Interface(released).fragments.filter((f) => f.type === 'error').map((f) => f.selector)).size, JSON.parse(released).filter((i) => i.type === 'error').length);
  same(`${kind} at most three indexed`, items.filter((i) => i.type === 'event' && i.inputs.filter((p) => p.indexed).length > 3), []);
}

/** A check that throws has failed, and the others go on. */
async function section(check, ...args) {
  try {
    await check(...args);
  } catch (e) {
    failed++;
    console.error(`${check.name}: ${e.stack ?? e}`);
  }
}

async function checkGenerated() {
  same('vectors.json is what generate.mjs writes (else: npm run generate)', (await text()) === committed, true);
}

await section(checkGenerated);
for (const check of [checkIds, checkMessages, checkSignatures, checkBlobs]) await section(check);
await section(checkErrors);
for (const kind of ['channels', 'streams']) await section(checkAbi, kind);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
