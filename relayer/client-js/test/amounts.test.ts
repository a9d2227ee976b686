// Amounts and deployment files: what is read, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, MAX_AMOUNT, RivuletError, formatAmount, parseAmount, readDeployment } from '../src/index.js';

const hash = `0x${'33'.repeat(32)}`;
const FILE = {
  network: 'dev',
  chain_id: 420420420,
  genesis_hash: hash,
  block: 7,
  contracts: { channels: { address: `0x${'11'.repeat(20)}`, code_hash: hash }, streams: { address: `0x${'22'.repeat(20)}`, code_hash: hash } },
  tokens: { native: { address: `0x${'00'.repeat(20)}`, decimals: 18 }, usdc: { address: '0x0000053900000000000000000000000001200000', decimals: 6, seed: '10000' } },
};
const deployment = readDeployment(FILE);
const refused = (code: ErrorCode, says: RegExp) => (error: unknown) => error instanceof RivuletError && error.code === code && says.test(error.message);

test('an amount with its unit is exact', () => {
  const cases: [string, bigint][] = [['0.10usdc', 100_000n], ['5dot', 5n * 10n ** 18n], ['0.0000000001dot', 100_000_000n], ['1.000001 usdc', 1_000_001n], ['0usdc', 0n]];
  for (const [text, units] of cases) assert.equal(parseAmount(text, deployment).units, units, text);
  assert.equal(parseAmount('1native', deployment).token.isNative, true);
});

test('what could mean two things is refused', () => {
  for (const text of ['5', '5 DOT', '-1usdc', '+1usdc', '1,5usdc', '1_000usdc', '.5usdc', '1.usdc', ' 1usdc', '1usdc ', '', 'usdc', '١usdc']) {
    assert.throws(() => parseAmount(text, deployment), refused('bad_input', /such as 0\.10usdc/), text);
  }
  for (const text of ['1usdt', '1e3usdc', '0x10usdc']) assert.throws(() => parseAmount(text, deployment), refused('bad_input', /there are: dot, usdc/));
  assert.throws(() => parseAmount('0.0000001usdc', deployment), refused('bad_input', /6 decimals, given 7/));
  assert.throws(() => parseAmount('0.00000000001dot', deployment), refused('bad_input', /multiples of 100000000/));
  assert.throws(() => parseAmount(`${MAX_AMOUNT}usdc`, deployment), refused('bad_input', /from 0 to/));
});

test('what is written is read back', () => {
  for (const text of ['0.1usdc', '5dot', '0.0000000001dot', '1.000001usdc', '0usdc', '120dot']) assert.equal(formatAmount(parseAmount(text, deployment)), text);
});

test('a deployment file of another shape is refused with its field', () => {
  const cases: [unknown, RegExp][] = [
    [[], /the file: expected an object/],
    [{ ...FILE, chain_id: '420' }, /chain_id/],
    [{ ...FILE, contracts: { ...FILE.contracts, streams: { address: '0x11', code_hash: hash } } }, /contracts\.streams\.address/],
    [{ ...FILE, contracts: { ...FILE.contracts, streams: { address: `0x${'22'.repeat(20)}` } } }, /contracts\.streams\.code_hash/],
    [{ ...FILE, tokens: { native: { address: FILE.tokens.native.address, decimals: 10 } } }, /18/],
    [{ ...FILE, tokens: { usdc: { address: FILE.tokens.native.address, decimals: 18 } } }, /tokens\.usdc/],
  ];
  for (const [file, says] of cases) assert.throws(() => readDeployment(file), refused('bad_deployment', says));
});
