import { RivuletError } from './errors.js';
import type { Deployment, Token } from './deployment.js';

/** The smallest native amount that the chain can move, in wei. */
export const NATIVE_GRAIN = 100_000_000n;
/** The largest deposit, credit or total. */
export const MAX_AMOUNT = (1n << 96n) - 1n;

/** An amount of a token, in its smallest unit. */
export interface Amount {
  readonly token: Token;
  readonly units: bigint;
}

/** The smallest amount of this token that can move. */
export const grain = (token: Token): bigint => (token.isNative ? NATIVE_GRAIN : 1n);

/** Rounds down to what can move. */
export const floorToGrain = (token: Token, units: bigint): bigint => units - (units % grain(token));

/** The token of a unit as people write it. */
function tokenOf(unit: string, deployment: Deployment): Token {
  const name = unit === 'dot' ? 'native' : unit;
  const token = deployment.tokens[name];
  if (token === undefined) {
    const known = Object.keys(deployment.tokens).map((key) => (key === 'native' ? 'dot' : key));
    throw new RivuletError('bad_input', `there is no unit ${unit} on ${deployment.network}; there are: ${known.join(', ')}`);
  }
  return token;
}

/**
 * Reads an amount such as `0.10usdc` or `5dot`. Nothing is guessed: no unit, a sign, a separator of thousands, or more decimals than the token has, are refused.
 */
export function parseAmount(text: string, deployment: Deployment): Amount {
  const [, whole, decimals = '', unit] = /^(\d+)(?:\.(\d+))? ?([a-z][a-z0-9-]*)$/.exec(text) ?? [];
  if (whole === undefined || unit === undefined) {
    throw new RivuletError('bad_input', `expected an amount with its unit, such as 0.10usdc or 5dot, given ${JSON.stringify(text)}`);
  }
  const token = tokenOf(unit, deployment);
  if (decimals.length > token.decimals) {
    throw new RivuletError('bad_input', `${unit} has ${token.decimals} decimals, given ${decimals.length}: ${text}`);
  }
  const units = BigInt(whole + decimals.padEnd(token.decimals, '0'));
  checkMovable({ token, units });
  return { token, units };
}

/** An amount as people read it: `0.1usdc`. What {@link parseAmount} reads back. */
export function formatAmount({ token, units }: Amount): string {
  const digits = units.toString().padStart(token.decimals + 1, '0');
  const split = digits.length - token.decimals;
  const decimals = digits.slice(split).replace(/0+$/, '');
  return `${digits.slice(0, split)}${decimals === '' ? '' : '.'}${decimals}${token.isNative ? 'dot' : token.name}`;
}

/** Refuses what cannot be paid in: more than fits, or a native amount between what the chain can move. */
export function checkMovable({ token, units }: Amount): void {
  if (units < 0n || units > MAX_AMOUNT) throw new RivuletError('bad_input', `an amount is from 0 to ${MAX_AMOUNT}, given ${units}`);
  if (units % grain(token) !== 0n) {
    throw new RivuletError('bad_input', `native amounts are multiples of ${NATIVE_GRAIN} wei (10 decimals), given ${units}`);
  }
}

/** The same, for a deposit: zero is refused too. */
export function checkDeposit(amount: Amount): void {
  checkMovable(amount);
  if (amount.units === 0n) throw new RivuletError('bad_input', 'an amount of zero does nothing');
}
