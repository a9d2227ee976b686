import { type Address, type Hex, encodeAbiParameters, hashTypedData, keccak256, parseAbiParameters } from 'viem';
import type { Deployment } from './deployment.js';

/** What signatures and ids are bound to. */
export interface Binding {
  readonly chainId: number | bigint;
  readonly contract: Address;
}

/** Where a channel is found. */
export interface ChannelNumber {
  readonly book: number;
  readonly serial: number;
}

/** All that is fixed when a channel is opened. */
export interface ChannelTerms extends ChannelNumber {
  readonly payer: Address;
  readonly payee: Address;
  readonly voucherSigner: Address;
  readonly token: Address;
  readonly challengePeriodSecs: number;
  /** Unix seconds. */
  readonly openedAt: bigint;
}

export const channelsOf = ({ chainId, channels }: Deployment): Binding => ({ chainId, contract: channels.address });

/** What vouchers sign: the hash of all terms, chain and contract. */
export function channelId(at: Binding, terms: ChannelTerms): Hex {
  const words = parseAbiParameters('uint256, address, uint32, uint32, address, address, address, address, uint32, uint64');
  const { book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt } = terms;
  return keccak256(encodeAbiParameters(words, [BigInt(at.chainId), at.contract, book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt]));
}

const DOMAINS = { channels: 'Rivulet Channels', streams: 'Rivulet Streams', relayer: 'Rivulet Relayer', paywall: 'Rivulet Paywall' } as const;

const TYPES = {
  Voucher: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'cumulativeAmount', type: 'uint128' },
  ],
  Acknowledgement: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'cumulativeAmount', type: 'uint128' },
    { name: 'acceptedAt', type: 'uint64' },
  ],
  Purchase: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'amount', type: 'uint128' },
    { name: 'request', type: 'string' },
    { name: 'nonce', type: 'bytes32' },
    { name: 'validUntil', type: 'uint64' },
  ],
} as const;

/** "For this request I pay up to this amount from this channel, once, until then." */
export interface PurchaseTerms {
  readonly channelId: Hex;
  /** The most that may be charged, in the token's smallest unit. */
  readonly amount: bigint;
  /** Method, host, path and query, as the request has them: `GET blog.example/articles/1`. */
  readonly request: string;
  /** The payer's name for this purchase, 32 bytes: the same again is the same purchase. */
  readonly nonce: Hex;
  /** Unix seconds. */
  readonly validUntil: bigint;
}

function domain(kind: keyof typeof DOMAINS, at: Binding) {
  return { name: DOMAINS[kind], version: '1', chainId: at.chainId, verifyingContract: at.contract } as const;
}

/** A voucher as a wallet signs it: this channel has promised this much in all. */
export function voucherData(at: Binding, channelId: Hex, cumulativeAmount: bigint) {
  const { Voucher } = TYPES;
  return { domain: domain('channels', at), types: { Voucher }, primaryType: 'Voucher', message: { channelId, cumulativeAmount } } as const;
}

/** What a relayer signs when it has stored a voucher. */
export function acknowledgementData(at: Binding, channelId: Hex, cumulativeAmount: bigint, acceptedAt: bigint) {
  const { Acknowledgement } = TYPES;
  const message = { channelId, cumulativeAmount, acceptedAt };
  return { domain: domain('relayer', at), types: { Acknowledgement }, primaryType: 'Acknowledgement', message } as const;
}

/** What a payer signs beside a voucher, for a paywall: what the money is for. */
export function purchaseData(at: Binding, { channelId, amount, request, nonce, validUntil }: PurchaseTerms) {
  const { Purchase } = TYPES;
  return { domain: domain('paywall', at), types: { Purchase }, primaryType: 'Purchase', message: { channelId, amount, request, nonce, validUntil } } as const;
}

/** The digest of a voucher. */
export const voucherDigest = (at: Binding, channel: Hex, total: bigint): Hex => hashTypedData(voucherData(at, channel, total));

/** The digest of an acknowledgement. */
export const acknowledgementDigest = (at: Binding, channel: Hex, total: bigint, acceptedAt: bigint): Hex =>
  hashTypedData(acknowledgementData(at, channel, total, acceptedAt));

/** The digest of a purchase. */
export const purchaseDigest = (at: Binding, purchase: PurchaseTerms): Hex => hashTypedData(purchaseData(at, purchase));
