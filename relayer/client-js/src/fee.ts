import { floorToGrain } from './amounts.js';
import type { Token } from './deployment.js';
import type { Address } from 'viem';
import { zeroAddress } from 'viem';

/** What a payee agreed to pay for rows carried on its behalf, per book. */
export interface RelayTerms {
  readonly beneficiary: Address;
  readonly feeBps: number;
  readonly flatFee: bigint;
  readonly minGain: bigint;
  /** Unix seconds. */
  readonly until: bigint;
}

const share = (units: bigint, bps: number): bigint => (units * BigInt(bps)) / 10_000n;

/** The fee of a row that gains so much, as the contract takes it. */
export function relayFee(terms: RelayTerms, ceilingBps: number, token: Token, gain: bigint, now: bigint): bigint {
  if (terms.beneficiary === zeroAddress || now >= terms.until || gain < terms.minGain) return 0n;
  const asked = share(gain, terms.feeBps) + terms.flatFee;
  const ceiling = share(gain, ceilingBps);
  return floorToGrain(token, asked < ceiling ? asked : ceiling);
}
