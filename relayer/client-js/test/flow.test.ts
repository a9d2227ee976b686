// Streams' arithmetic away from any chain: contracts/core's own cases. Beside the chain's views: streams.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zeroAddress } from 'viem';
import { type Balances, type Schedule, type Snapshot, type StreamStatus, SCALE, liveAt, ratePerSecondScaled, relayFee } from '../src/index.js';

const START = 1_000_000n;
const USDC = { name: 'usdc', address: '0x0000053900000000000000000000000001200000', decimals: 6, isNative: false } as const;
const NATIVE = { name: 'native', address: zeroAddress, decimals: 18, isNative: true } as const;

/** Half a unit a second, from START on. */
const half: Schedule = { ratePerSecondScaled: SCALE / 2n, startAt: START, cliff: undefined, endAt: 0n };
const nothing: Balances = { deposit: 100n, paid: 0n, committed: 0n, totalDebt: 0n, coveredDebt: 0n, uncoveredDebt: 0n, refundable: 100n, depletesAt: START + 202n };

function at(secs: bigint, schedule: Schedule = half, balances: Partial<Balances> = {}, status: StreamStatus = 'streaming', token: Snapshot['token'] = USDC): Snapshot {
  return { token, status, schedule, balances: { ...nothing, ...balances }, at: START + secs };
}
const debts = (snapshot: Snapshot, ...secs: bigint[]) => secs.map((s) => liveAt(snapshot, START + s).totalDebt);

test('debt grows by the second and is rounded down', () => {
  assert.deepEqual(debts(at(0n), 0n, 1n, 2n, 3n), [0n, 0n, 1n, 1n]);
  assert.equal(liveAt(at(0n), START + 3n).isExact, true);
});

test('a snapshot between two units goes on with its fraction, where the schedule explains it', () => {
  assert.deepEqual(debts(at(3n, half, { totalDebt: 1n }), 3n, 4n, 5n, 6n), [1n, 2n, 2n, 3n]);
});

test('a time before the snapshot is not guessed at', () => {
  assert.deepEqual(debts(at(4n, half, { totalDebt: 2n }), 1n, 4n), [2n, 2n]);
});

test('before its cliff nothing is owed, and the flow begins there', () => {
  const cliff = { ...half, cliff: { at: START + 10n, amount: 7n } };
  for (const from of [0n, 9n]) assert.deepEqual(debts(at(from, cliff, { depletesAt: START + 198n }), 9n, 10n, 11n, 12n), [0n, 7n, 7n, 8n]);
  assert.deepEqual(debts(at(11n, cliff, { totalDebt: 7n, depletesAt: START + 198n }), 11n, 12n), [7n, 8n]);
});

test('before its start nothing is owed', () => {
  assert.deepEqual(debts(at(-5n, half, {}, 'pending'), -1n, 0n, 2n), [0n, 0n, 1n]);
});

test('covered, uncovered, refundable and claimable follow the debt', () => {
  const later = liveAt(at(0n), START + 250n);
  assert.deepEqual([later.totalDebt, later.coveredDebt, later.uncoveredDebt, later.refundable, later.claimable], [125n, 100n, 25n, 0n, 100n]);
  const committed = liveAt(at(0n, half, { committed: 60n }), START + 20n);
  assert.deepEqual([committed.coveredDebt, committed.refundable], [10n, 40n]);
});

test('native money below what can move stays owed', () => {
  const rate = { ...half, ratePerSecondScaled: 60_000_000n * SCALE };
  const claimable = (secs: bigint) => liveAt(at(0n, rate, { deposit: 300_000_000n }, 'streaming', NATIVE), START + secs).claimable;
  assert.deepEqual([1n, 2n, 3n, 4n, 5n].map((s) => claimable(s) / 100_000_000n), [0n, 1n, 1n, 2n, 3n]);
});

test('a paused stream stands still, and owes its commitment at the end', () => {
  const ending = { ...half, endAt: START + 10n };
  const paused = at(4n, ending, { totalDebt: 2n, committed: 60n, depletesAt: 0n }, 'paused');
  assert.deepEqual(debts(paused, 9n, 10n), [2n, 60n]);
});

test('by total, the end owes the total exactly', () => {
  // 100 units in 7 seconds: 14.285714285 a second, and 5e-9 left for the end.
  const total = { ...half, ratePerSecondScaled: (100n * SCALE) / 7n, endAt: START + 7n };
  assert.deepEqual(debts(at(0n, total), 6n, 7n, 100n), [85n, 100n, 100n]);
  assert.equal(liveAt(at(0n, total), START + 6n).isExact, true);
  assert.equal(liveAt(at(0n, total), START + 7n).isExact, false, 'a rate could look like this');
  assert.equal(liveAt(at(7n, total, { totalDebt: 100n }, 'ended'), START + 9n).isExact, true);
});

test('what the schedule does not explain is within a unit, rounded down, and says so', () => {
  // Paused for a while before: 5 units owed where the schedule says 10.
  const touched = at(20n, { ...half, ratePerSecondScaled: (3n * SCALE) / 2n }, { totalDebt: 5n, depletesAt: 0n });
  assert.deepEqual(debts(touched, 20n, 21n, 22n), [5n, 6n, 8n]);
  assert.deepEqual([20n, 21n, 22n].map((s) => liveAt(touched, START + s).isExact), [true, false, true]);
});

test('the second at which money runs out tells fractions', () => {
  // 7.5 units were owed at 20 s: 101 units are reached after 187 s more, at 207.
  const touched = at(20n, half, { totalDebt: 7n, depletesAt: START + 207n });
  assert.deepEqual(debts(touched, 20n, 21n, 22n), [7n, 8n, 8n]);
});

test('an ended, cancelled or voided stream stands still', () => {
  for (const status of ['ended', 'cancelled', 'voided'] as const) {
    const over = at(10n, { ...half, endAt: START + 10n }, { totalDebt: 5n }, status);
    assert.deepEqual(debts(over, 10n, 9_999n), [5n, 5n]);
  }
});

test('a rate is rounded down, and fees are those of the contract', () => {
  assert.equal(ratePerSecondScaled(1_000_000n, 3n), 333_333_333_333_333n);
  const terms = { beneficiary: USDC.address, feeBps: 250, flatFee: 3n, minGain: 10n, until: START };
  const fee = (gain: bigint, now = START - 1n, ceiling = 1_000) => relayFee(terms, ceiling, USDC, gain, now);
  assert.deepEqual([fee(1_000n), fee(9n), fee(20n), fee(1_000n, START)], [28n, 0n, 2n, 0n]);
});
