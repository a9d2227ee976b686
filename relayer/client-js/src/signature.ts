import { type Hex, bytesToHex, concat, hexToBytes, hexToNumber, numberToHex, recoverAddress, size, slice } from 'viem';
import type { Address } from 'viem';
import { RivuletError } from './errors.js';

/** Half the order of secp256k1. A larger s is refused: its mirror image would be a second form of the same promise. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PARITY = 1n << 255n;

const isGood = (r: bigint, s: bigint) => r > 0n && r < ORDER && s > 0n && s <= HALF_ORDER;

/**
 * The one form that counts on chain: 64 bytes, EIP-2098, low s. Takes 64 bytes, or 65 with v of 0, 1, 27 or 28. Returns undefined for anything else.
 */
export function toCompact(signature: Hex): Hex | undefined {
  if (!/^0x([0-9a-fA-F]{128}|[0-9a-fA-F]{130})$/.test(signature)) return undefined;
  const r = BigInt(slice(signature, 0, 32));
  const last = BigInt(slice(signature, 32, 64));
  if (size(signature) === 64) return isGood(r, last & (PARITY - 1n)) ? (signature.toLowerCase() as Hex) : undefined;
  const v = hexToNumber(slice(signature, 64));
  if (![0, 1, 27, 28].includes(v) || !isGood(r, last)) return undefined;
  const parity = v === 1 || v === 28 ? PARITY : 0n;
  return concat([slice(signature, 0, 32), numberToHex(last | parity, { size: 32 })]).toLowerCase() as Hex;
}

/** As {@link toCompact}, but a signature that does not count is an error: a wallet of another kind made it. */
export function compact(signature: Hex): Hex {
  const form = toCompact(signature);
  if (form === undefined) throw new RivuletError('bad_input', `expected a secp256k1 signature of 64 or 65 bytes with a low s, given ${signature}: contract wallets cannot sign here`);
  return form;
}

/** The two words that contracts take. */
export function words(compactSignature: Hex): readonly [r: Hex, yParityAndS: Hex] {
  return [slice(compactSignature, 0, 32), slice(compactSignature, 32, 64)];
}

/** Who signed a digest, or undefined: nobody can have. */
export async function signerOf(digest: Hex, signature: Hex): Promise<Address | undefined> {
  const form = toCompact(signature);
  if (form === undefined) return undefined;
  const bytes = hexToBytes(form);
  const parity = (bytes[32] ?? 0) >> 7;
  bytes[32] = (bytes[32] ?? 0) & 0x7f;
  try {
    return await recoverAddress({ hash: digest, signature: concat([bytesToHex(bytes), numberToHex(27 + parity, { size: 1 })]) });
  } catch {
    // r is no point of the curve.
    return undefined;
  }
}
