import { floorToGrain } from './amounts.js';
import type { Token } from './deployment.js';

/** Rates are amounts per second × 1e9. */
export const SCALE = 1_000_000_000n;
/** An open-ended stream accrues this long. */
export const MAX_DURATION_SECS = (1n << 32n) - 1n;

/** As the contract numbers them; new ones are appended. */
export const STREAM_STATUS = [
  'unknown', 'pending', 'streaming', 'streaming_insolvent', 'paused', 'paused_insolvent', 'ended', 'ended_insolvent', 'cancelled', 'voided', 'closed',
] as const;
export type StreamStatus = (typeof STREAM_STATUS)[number];

/** What flows, when. Times are Unix seconds. */
export interface Schedule {
  readonly ratePerSecondScaled: bigint;
  readonly startAt: bigint;
  /** When its amount falls due and the flow begins. */
  readonly cliff: { readonly at: bigint; readonly amount: bigint } | undefined;
  /** 0: open-ended. */
  readonly endAt: bigint;
}

/** A stream's figures, in the token's smallest unit. */
export interface Balances {
  readonly deposit: bigint;
  readonly paid: bigint;
  readonly committed: bigint;
  readonly totalDebt: bigint;
  readonly coveredDebt: bigint;
  readonly uncoveredDebt: bigint;
  readonly refundable: bigint;
  /** The first second at which some debt is not covered; 0: never, as things stand. */
  readonly depletesAt: bigint;
}

/** A stream as the chain said it was at a time. */
export interface Snapshot {
  readonly token: Token;
  readonly status: StreamStatus;
  readonly schedule: Schedule;
  readonly balances: Balances;
  /** The block's time. */
  readonly at: bigint;
}

/** Figures computed for a time. */
export interface Live extends Balances {
  /** What a claim of all would take: covered debt, rounded down to what can move. */
  readonly claimable: bigint;
  /** False where the chain may say one unit more (or at the end up to five): it keeps fractions that its views do not show. Ask it again to know. */
  readonly isExact: boolean;
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const less = (a: bigint, b: bigint): bigint => max(0n, a - b);

export const flowStart = ({ cliff, startAt }: Schedule): bigint => cliff?.at ?? startAt;
export const flowEnd = ({ startAt, endAt }: Schedule): bigint => (endAt === 0n ? startAt + MAX_DURATION_SECS : endAt);

const isEnded = (schedule: Schedule, now: bigint): boolean => schedule.endAt !== 0n && now >= schedule.endAt;

/** Everything owed by a time since the schedule began, scaled, if nobody ever paused it or changed its rate; without what falls due at the very end. */
export function scheduled(schedule: Schedule, now: bigint): bigint {
  const from = flowStart(schedule);
  const secs = less(min(now, flowEnd(schedule)), from);
  const cliff = now >= from ? (schedule.cliff?.amount ?? 0n) * SCALE : 0n;
  return schedule.ratePerSecondScaled * secs + cliff;
}

/** What a stream by total has left for its end: its rate is rounded down. 0 for one by rate, as far as the schedule tells. */
function residue(schedule: Schedule): bigint {
  if (schedule.endAt === 0n) return 0n;
  const secs = schedule.endAt - flowStart(schedule);
  const rest = (SCALE - ((schedule.ratePerSecondScaled * secs) % SCALE)) % SCALE;
  return rest < secs ? rest : 0n;
}

/** The debt's fractions between which the chain's own must lie. */
interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/** When everything that was ever paid in is owed, and one unit more. */
const limit = ({ deposit }: Balances): bigint => (deposit + 1n) * SCALE;

/**
 * What had ever been owed at the snapshot, scaled. Exactly, if the schedule alone explains the chain's figure; else (it was paused, or its rate changed) as near
 * as the figures tell: a unit, or less where the second at which the money runs out says more.
 */
function owedAt({ schedule, balances, at }: Snapshot): Range {
  const planned = scheduled(schedule, at);
  const low = (balances.totalDebt + balances.paid) * SCALE;
  const high = low + SCALE - 1n;
  const { ratePerSecondScaled: rate } = schedule;
  const runsFrom = max(at, flowStart(schedule));
  const cliff = at < flowStart(schedule) ? (schedule.cliff?.amount ?? 0n) * SCALE : 0n;
  const secs = balances.depletesAt - runsFrom;
  // By the flow: at that second the limit is reached, a second earlier it is not.
  const byFlow = secs > 0n && balances.depletesAt < flowEnd(schedule);
  const top = limit(balances) - cliff - rate * (secs - 1n) - 1n;
  const range = byFlow ? { low: max(low, top + 1n - rate), high: min(high, top) } : { low, high };
  if (planned >= range.low && planned <= range.high) return { low: planned, high: planned };
  return range.low <= range.high ? range : { low, high };
}

const isRunning = (status: StreamStatus): boolean => status === 'pending' || status === 'streaming' || status === 'streaming_insolvent';

/** Debt, scaled, at a time not before the snapshot. */
function grossAt({ schedule, at }: Snapshot, owed: bigint, now: bigint): bigint {
  const from = flowStart(schedule);
  const secs = less(min(now, flowEnd(schedule)), max(at, from));
  const cliff = at < from && now >= from ? (schedule.cliff?.amount ?? 0n) * SCALE : 0n;
  const end = isEnded(schedule, now) && !isEnded(schedule, at) ? residue(schedule) : 0n;
  return owed + schedule.ratePerSecondScaled * secs + cliff + end;
}

function figures(snapshot: Snapshot, totalDebt: bigint, isExact: boolean): Live {
  const { balances, status, token } = snapshot;
  const { deposit, paid, committed } = balances;
  const balance = less(deposit, paid);
  const coveredDebt = min(totalDebt, balance);
  const kept = status === 'voided' ? coveredDebt : max(coveredDebt, committedLeft(balances));
  const refundable = status === 'cancelled' ? 0n : floorToGrain(token, less(balance, kept));
  return {
    deposit, paid, committed, totalDebt, coveredDebt, uncoveredDebt: totalDebt - coveredDebt, refundable,
    depletesAt: balances.depletesAt, claimable: floorToGrain(token, coveredDebt), isExact,
  };
}

const committedLeft = ({ committed, deposit, paid }: Balances): bigint => less(min(committed, deposit), paid);

/**
 * A stream's figures at a time, from what the chain said at another: the contract's own arithmetic, and no request. They hold as long as nobody calls the
 * contract about this stream. Rounded down, so that a payee is never shown more than it can have.
 */
export function liveAt(snapshot: Snapshot, now: bigint): Live {
  const { status, schedule, balances } = snapshot;
  const time = max(now, snapshot.at);
  const isOver = status === 'cancelled' || status === 'voided' || isEnded(schedule, snapshot.at) || status === 'unknown' || status === 'closed';
  if (isOver) return figures(snapshot, balances.totalDebt, true);
  const dueAtEnd = isEnded(schedule, time) ? committedLeft(balances) : 0n;
  if (!isRunning(status)) return figures(snapshot, max(balances.totalDebt, dueAtEnd), true);
  const owed = owedAt(snapshot);
  const debt = (gross: bigint) => max(less(grossAt(snapshot, gross, time) / SCALE, balances.paid), dueAtEnd);
  const [low, high] = [debt(owed.low), debt(owed.high)];
  // What a total leaves for its end is told from the rate, and a rate can look like a total's.
  const isEndKnown = !isEnded(schedule, time) || (owed.low === owed.high && residue(schedule) === 0n);
  return figures(snapshot, low, low === high && isEndKnown);
}

/** The rate that pays `units` in so many seconds, rounded down. */
export function ratePerSecondScaled(units: bigint, secs: bigint): bigint {
  return (units * SCALE) / secs;
}
