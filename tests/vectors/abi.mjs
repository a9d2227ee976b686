// The contracts' interface as a JSON ABI: calls and events from the tables of contracts/README.md, errors from core's list.

import { readFileSync } from 'node:fs';
import { toEventSelector, toFunctionSelector } from 'viem';

const README = new URL('../../contracts/README.md', import.meta.url);
const ERRORS = new URL('../../contracts/core/src/error.rs', import.meta.url);

/** The table of events has no column for the contract. An event missing here stops the generator. */
const EMITTED_BY = {
  both: ['BookCreated', 'TermsSet', 'Claimed', 'Credited', 'Collected', 'ToppedUp', 'Refunded', 'NonceUsed', 'Swept'],
  channels: ['ChannelOpened', 'CloseRequested', 'Closed', 'RefundRequested'],
  streams: [/^Stream/, 'RateAdjusted', 'DelegateSet'],
};

function emitters(name) {
  const by = Object.keys(EMITTED_BY).filter((k) => EMITTED_BY[k].some((e) => (e.test ? e.test(name) : e === name)));
  if (by.length !== 1) throw new Error(`event ${name}: say in abi.mjs, EMITTED_BY, which contract emits it`);
  return by[0] === 'both' ? ['channels', 'streams'] : by;
}

/** The rows of the table under a heading, as arrays of cells, without head and rule. */
function table(text, heading) {
  const section = text.split(/^### /m).find((s) => s.startsWith(heading + '\n'));
  if (section === undefined) throw new Error(`contracts/README.md has no section "${heading}"`);
  const rows = section.split('\n').filter((l) => l.startsWith('|')).slice(2);
  return rows.map((l) => l.split('|').slice(1, -1).map((c) => c.trim()));
}

const declarations = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1]);

/** `uint32 indexed book`, `address` */
function parameter(text, isEvent) {
  const [type, ...words] = text.split(/\s+/);
  const name = words.at(-1) === 'indexed' ? '' : (words.at(-1) ?? '');
  return { name, type, ...(isEvent && { indexed: words.includes('indexed') }) };
}

function parameters(text, isEvent = false) {
  return text.trim() === '' ? [] : text.split(',').map((p) => parameter(p.trim(), isEvent));
}

function parse(declaration) {
  const m = declaration.match(/^(\w+)\(([^()]*)\)( payable)?(?: → \(?([^()]*)\)?)?$/);
  if (m === null) throw new Error(`contracts/README.md: not understood: ${declaration}`);
  return { name: m[1], inputs: m[2], payable: m[3] !== undefined, outputs: m[4] ?? '' };
}

function callItem(declaration, by) {
  const { name, inputs, payable, outputs } = parse(declaration);
  const stateMutability = payable ? 'payable' : by === 'view' ? 'view' : 'nonpayable';
  if (name === 'constructor') return { type: 'constructor', inputs: parameters(inputs), stateMutability };
  return { type: 'function', name, inputs: parameters(inputs), outputs: parameters(outputs), stateMutability };
}

function eventItem(declaration) {
  const { name, inputs } = parse(declaration);
  return { type: 'event', name, inputs: parameters(inputs, true), anonymous: false };
}

const RUST_TYPES = { Address: 'address', Bytes32: 'bytes32', bool: 'bool', u8: 'uint8', u16: 'uint16', u32: 'uint32', u64: 'uint64', u128: 'uint128' };
const camel = (name) => name.replace(/_(\w)/g, (_, c) => c.toUpperCase());

/** `            NotDue { now: u64, due_at: u64 },` */
function errorItems() {
  const items = [...readFileSync(ERRORS, 'utf8').matchAll(/^ {12}(\w+) \{([^}]*)\},$/gm)].map(([, name, fields]) => ({
    type: 'error',
    name,
    inputs: fields.split(',').filter((f) => f.trim()).map((f) => {
      const [field, type] = f.split(':').map((part) => part.trim());
      if (!(type in RUST_TYPES)) throw new Error(`error ${name}: no Solidity type for ${type}`);
      return { name: camel(field), type: RUST_TYPES[type] };
    }),
  }));
  if (items.length === 0) throw new Error('contracts/core/src/error.rs: no errors found');
  return items;
}

const signature = (item) => `${item.name}(${item.inputs.map((i) => i.type).join(',')})`;

function of(items) {
  const list = (type, hash) => Object.fromEntries(items.filter((i) => i.type === type).map((i) => [signature(i), hash(i)]));
  return { functions: list('function', toFunctionSelector), events: list('event', toEventSelector), items };
}

/** The errors as contracts/README.md lists them, and as core declares them. */
export function errorLists() {
  const text = (i) => `${i.name}(${i.inputs.map((p) => `${p.type} ${p.name}`).join(', ')})`;
  return { documented: table(readFileSync(README, 'utf8'), 'Errors').map(([cell]) => declarations(cell)[0]), declared: errorItems().map(text) };
}

/** What a wallet's library wants: the ABI with its errors, a file a contract under deployments/bundles. */
export const abiFile = (name) => new URL(`../../deployments/bundles/${name}.abi.json`, import.meta.url);
export const abiText = (name) => `[\n${[...abi()[name].items, ...errorItems()].map((i) => `  ${JSON.stringify(i)}`).join(',\n')}\n]\n`;

/** For each contract: signature text to selector, event text to topic, and the ABI itself. */
export function abi() {
  const text = readFileSync(README, 'utf8');
  const calls = (heading) => table(text, heading).flatMap(([cell, by]) => declarations(cell).map((d) => callItem(d, by)));
  const events = table(text, 'Events').flatMap(([cell]) => declarations(cell).map(eventItem));
  const contract = (name, heading) =>
    of([...calls('Both contracts'), ...calls(heading), ...events.filter((e) => emitters(e.name).includes(name))]);
  return { channels: contract('channels', 'Channels'), streams: contract('streams', 'Streams') };
}
