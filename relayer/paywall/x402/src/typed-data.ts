/** What a payer signs: EIP-712, as the contract and the paywall read it. */

import type { Address, Hex } from 'viem';

/** Signs typed data: a viem account (`privateKeyToAccount`) does. */
export interface Signer {
  readonly address: Address;
  signTypedData(parameters: {
    domain: { name: string; version: string; chainId: number; verifyingContract: Address };
    types: Record<string, { name: string; type: string }[]>;
    primaryType: string;
    message: Record<string, unknown>;
  }): Promise<Hex>;
}

/** Where the channels are. */
export interface Contract {
  chainId: number;
  address: Address;
}

const domain = (name: string, at: Contract) => ({ name, version: '1', chainId: at.chainId, verifyingContract: at.address });

const VOUCHER = [
  { name: 'channelId', type: 'bytes32' },
  { name: 'cumulativeAmount', type: 'uint128' },
];

const PURCHASE = [
  { name: 'channelId', type: 'bytes32' },
  { name: 'amount', type: 'uint128' },
  { name: 'request', type: 'string' },
  { name: 'nonce', type: 'bytes32' },
  { name: 'validUntil', type: 'uint64' },
];

/** "This channel has promised so much in all." */
export function voucher(at: Contract, channelId: Hex, cumulativeAmount: bigint) {
  return { domain: domain('Rivulet Channels', at), types: { Voucher: VOUCHER }, primaryType: 'Voucher' as const, message: { channelId, cumulativeAmount } };
}

/** "For this request I pay up to this amount, once, until then." */
export function purchase(at: Contract, message: { channelId: Hex; amount: bigint; request: string; nonce: Hex; validUntil: bigint }) {
  return { domain: domain('Rivulet Paywall', at), types: { Purchase: PURCHASE }, primaryType: 'Purchase' as const, message };
}
