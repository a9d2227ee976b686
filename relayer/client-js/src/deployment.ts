import { type Address, type Hex, getAddress, isAddress, zeroAddress } from 'viem';
import { RivuletError } from './errors.js';

/** A token that the contracts take. */
export interface Token {
  /** As people name it: `native`, `usdc`. */
  readonly name: string;
  /** Zero: native. */
  readonly address: Address;
  /** Decimals of its smallest unit, as contracts count it. */
  readonly decimals: number;
  readonly isNative: boolean;
}

/** Where a contract is, and the hash of its code. */
export interface ContractAt {
  readonly address: Address;
  readonly codeHash: Hex;
}

/** A network's file in `deployments/`, read and checked. */
export interface Deployment {
  readonly network: string;
  readonly chainId: number;
  readonly genesisHash: Hex;
  readonly channels: ContractAt;
  readonly streams: ContractAt;
  readonly tokens: Readonly<Record<string, Token>>;
}

const bad = (field: string, expected: string, given: unknown) =>
  new RivuletError('bad_deployment', `deployment: ${field}: expected ${expected}, given ${JSON.stringify(given)}`);

type Json = Record<string, unknown>;

function object(field: string, value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(field, 'an object', value);
  return value as Json;
}

function address(field: string, value: unknown): Address {
  if (typeof value !== 'string' || !isAddress(value, { strict: false })) throw bad(field, '0x and 40 hex digits', value);
  return getAddress(value);
}

function hash(field: string, value: unknown): Hex {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(value)) throw bad(field, '0x and 64 hex digits', value);
  return value.toLowerCase() as Hex;
}

function contract(field: string, value: unknown): ContractAt {
  const given = object(field, value);
  const at = address(`${field}.address`, given['address']);
  if (at === zeroAddress) throw bad(`${field}.address`, 'a contract', at);
  return { address: at, codeHash: hash(`${field}.code_hash`, given['code_hash']) };
}

function token(name: string, value: unknown): Token {
  const field = `tokens.${name}`;
  const given = object(field, value);
  const at = address(`${field}.address`, given['address']);
  const decimals = given['decimals'];
  if (!Number.isInteger(decimals) || Number(decimals) < 0 || Number(decimals) > 36) throw bad(`${field}.decimals`, 'a small whole number', decimals);
  const isNative = at === zeroAddress;
  if (isNative !== (name === 'native')) throw bad(field, 'the zero address for `native`, and for it alone', at);
  if (isNative && decimals !== 18) throw bad(`${field}.decimals`, '18: contracts count the native token in wei', decimals);
  return { name, address: at, decimals: Number(decimals), isNative };
}

/** Reads a deployment file's JSON. Throws `bad_deployment` with the field at fault. */
export function readDeployment(json: unknown): Deployment {
  const file = object('the file', json);
  const { network, chain_id: chainId } = file;
  if (typeof network !== 'string') throw bad('network', 'a name', network);
  if (!Number.isSafeInteger(chainId) || Number(chainId) <= 0) throw bad('chain_id', 'a whole number', chainId);
  const contracts = object('contracts', file['contracts']);
  const tokens = Object.entries(object('tokens', file['tokens'])).map(([name, value]) => [name, token(name, value)] as const);
  return {
    network,
    chainId: Number(chainId),
    genesisHash: hash('genesis_hash', file['genesis_hash']),
    channels: contract('contracts.channels', contracts['channels']),
    streams: contract('contracts.streams', contracts['streams']),
    tokens: Object.fromEntries(tokens),
  };
}

/** The token at an address. One that is not in the file is refused. */
export function tokenAt(deployment: Deployment, at: Address): Token {
  const found = Object.values(deployment.tokens).find((known) => known.address === getAddress(at));
  if (found === undefined) throw new RivuletError('bad_input', `${at} is not a token of ${deployment.network}`);
  return found;
}
