// The batch blob, written from the format's description in contracts/core/src/blob.rs and by nothing else: no code is shared with Rust.
// A blob here is a hex string without 0x until it is finished; `write` does no checks, so that refused blobs can be written too.

export const VERSION = { channels: '01', streams: '81' };
export const MAX_BYTES = 122_880;
export const MAX_ROWS = 3_000;

/** One byte in hex. */
export const byte = (n) => n.toString(16).padStart(2, '0');

/** A number as canonical LEB128. `spare` redundant groups of zero bits can be asked for: the value is the same, the form is not canonical. */
export function varint(value, spare = 0) {
  let rest = BigInt(value);
  const groups = [];
  do {
    groups.push(Number(rest & 0x7fn));
    rest >>= 7n;
  } while (rest > 0n);
  for (let i = 0; i < spare; i++) groups.push(0);
  return groups.map((g, i) => byte(i < groups.length - 1 ? g | 0x80 : g)).join('');
}

/** Each number as its distance from the one before, less one; the first as it is. */
const deltas = (numbers) => numbers.map((n, i) => (i === 0 ? n : n - numbers[i - 1] - 1));

const row = (serial, { cumulativeAmount, signature }) =>
  varint(serial) + (signature === undefined ? '' : varint(cumulativeAmount) + signature.slice(2));

/** Writes groups `{ book, fundNew, rows: [{ serial, cumulativeAmount?, signature? }] }`, ascending. */
export function write(kind, groups) {
  const books = deltas(groups.map((g) => g.book));
  const body = groups.map(({ fundNew, rows }, i) => {
    const serials = deltas(rows.map((r) => r.serial));
    return byte(fundNew ? 1 : 0) + varint(books[i]) + varint(rows.length) + rows.map((r, j) => row(serials[j], r)).join('');
  });
  return '0x' + VERSION[kind] + varint(groups.length) + body.join('');
}
