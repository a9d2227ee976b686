/** Why what was promised is not paid out yet, as far as the relayer and the chain tell. What a claim costs is the relayer's own business: it says it to its operator alone. */
import { type RelayTerms, type Token, relayFee } from '@rivulet/client';
import { amountText, span } from './format.js';

/** What a relayer says of a channel. */
export interface Waiting {
  readonly status: 'open' | 'closing' | 'closed';
  readonly pending: string;
  /** Unix seconds. */
  readonly close_due_at: number | null;
  /** When its best voucher came (Unix milliseconds). */
  readonly accepted_ms: number | null;
  /** The chain's outcome when it was tried. */
  readonly set_aside: string | null;
}

export interface Circumstances {
  readonly isPaused: boolean;
  /** Claims that were sent and are not final. */
  readonly openClaims: number;
  /** The relayer, as terms name it. */
  readonly relayer: string | undefined;
  /** What the payee agreed to pay relayers in this token; `none`: nothing; undefined: not known. */
  readonly terms: { readonly terms: RelayTerms; readonly ceilingBps: number } | 'none' | undefined;
  /** Unix seconds. */
  readonly now: number;
}

const REFUSED: Readonly<Record<string, string>> = {
  bad_signature: 'the chain took its signature for nobody’s',
  unknown: 'the chain does not know this channel',
  closed: 'the channel had ended before',
  refused: 'the chain refuses to pay it',
};

/** A claim takes some seconds at best: until then nothing waits. */
const JUST_SECS = 10;

/** Empty: it does not wait. */
export function why({ status, pending, close_due_at: dueAt, accepted_ms: acceptedMs, set_aside: aside }: Waiting, token: Token, { isPaused, openClaims, relayer, terms, now }: Circumstances): string {
  const gain = BigInt(pending);
  if (gain === 0n || status === 'closed') return '';
  if (aside !== null) return `Not claimed: ${REFUSED[aside] ?? aside}`;
  if (isPaused) return 'Waits: the relayer has paused claims';
  if (acceptedMs !== null && now - acceptedMs / 1_000 < JUST_SECS) return '';
  if (openClaims > 0) return 'May be in the claim that waits to be final';
  if (status === 'closing' && dueAt !== null) return dueAt > now ? `Waits for a batch, at most until the channel ends in ${span(dueAt - now)}` : 'Due: the channel can end at any moment';
  if (terms === undefined) return 'Waits until a claim is worth its cost';
  const isNamed = terms !== 'none' && terms.terms.beneficiary.toLowerCase() === relayer?.toLowerCase();
  if (terms === 'none' || !isNamed || BigInt(now) >= terms.terms.until) return 'Waits: your terms pay this relayer nothing for a claim. Set them by: rivulet earn terms';
  if (gain < terms.terms.minGain) return `Waits until it is ${amountText(token, terms.terms.minGain)}, the least gain in your terms`;
  return `Waits until the fee, ${amountText(token, relayFee(terms.terms, terms.ceilingBps, token, gain, BigInt(now)))} by now, is worth a claim`;
}
