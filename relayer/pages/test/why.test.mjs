// What a creator is told of a row that waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { fromHere, root } from '../scripts/resolve.mjs';

const { outputFiles } = await build({ entryPoints: ['src/why.ts'], bundle: true, write: false, format: 'esm', platform: 'browser', minify: true, absWorkingDir: root, plugins: [fromHere] });
const { why } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);

const usdc = { name: 'usdc', address: `0x${'12'.repeat(20)}`, decimals: 6, isNative: false };
const relayer = `0x${'ab'.repeat(20)}`;
const terms = { beneficiary: relayer.toUpperCase().replace('0X', '0x'), feeBps: 100, flatFee: 0n, minGain: 500_000n, until: 2_000n };
const row = { status: 'open', pending: '600000', close_due_at: null, accepted_ms: 900_000, set_aside: null };
const at = { isPaused: false, openClaims: 0, relayer, terms: { terms, ceilingBps: 1_000 }, now: 1_000 };
const said = (of, circumstances) => why({ ...row, ...of }, usdc, { ...at, ...circumstances });

test('a row says why it waits, the gravest first', () => {
  assert.equal(said({ pending: '0' }), '');
  assert.equal(said({ status: 'closed' }), '');
  assert.equal(said({ accepted_ms: 995_000 }), '', 'it came just now');
  assert.equal(said({}), 'Waits until the fee, 0.006 USDC by now, is worth a claim');
  assert.equal(said({ pending: '499999' }), 'Waits until it is 0.50 USDC, the least gain in your terms');
  for (const nothing of [{ terms: 'none' }, { now: 2_000 }, { relayer: `0x${'cd'.repeat(20)}` }]) assert.match(said({}, nothing), /your terms pay this relayer nothing/);
  assert.equal(said({}, { terms: undefined }), 'Waits until a claim is worth its cost');
  assert.equal(said({ status: 'closing', close_due_at: 4_600 }), 'Waits for a batch, at most until the channel ends in 1 h');
  assert.match(said({ status: 'closing', close_due_at: 1_000 }), /^Due: /);
  assert.match(said({ status: 'closing', close_due_at: 4_600 }, { openClaims: 1 }), /waits to be final/);
  assert.match(said({ accepted_ms: 999_000 }, { isPaused: true, openClaims: 1 }), /paused claims/);
  assert.equal(said({ set_aside: 'bad_signature' }, { isPaused: true }), 'Not claimed: the chain took its signature for nobody’s');
  assert.equal(said({ set_aside: 'another' }), 'Not claimed: another');
});
