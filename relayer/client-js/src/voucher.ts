import { type Address, type Hex, type LocalAccount, getAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { RivuletError } from './errors.js';
import { compact, signerOf } from './signature.js';
import type { Store } from './store.js';
import { type Binding, type ChannelNumber, voucherData, voucherDigest } from './typed-data.js';

/** A voucher as it is sent to a relayer or, in a claim, to the chain. */
export interface SignedVoucher {
  readonly number: ChannelNumber;
  readonly channelId: Hex;
  /** All that the channel has ever promised, in the token's smallest unit. */
  readonly cumulativeAmount: bigint;
  /** 64 bytes. */
  readonly signature: Hex;
}

/** What signs vouchers: a session key, or a wallet that asks each time. */
export type VoucherSigner = Pick<LocalAccount, 'address' | 'signTypedData'>;

/** A session key: made once under this name and kept. Who has it can spend what its channels hold, and no more. */
export async function sessionKey(store: Store, name = 'session'): Promise<LocalAccount> {
  const key = `key:${name}`;
  return store.exclusive(key, async () => {
    const kept = await store.get(key);
    if (kept !== undefined && !/^0x[0-9a-f]{64}$/.test(kept)) throw new RivuletError('storage', `${key}: what is kept is no key`);
    const secret = (kept as Hex | undefined) ?? generatePrivateKey();
    if (kept === undefined) await store.set(key, secret);
    return privateKeyToAccount(secret);
  });
}

/** Signs a total. Low level: it asks no store and knows no limit; {@link PayChannel} does. */
export async function signVoucher(at: Binding, signer: VoucherSigner, number: ChannelNumber, channelId: Hex, cumulativeAmount: bigint): Promise<SignedVoucher> {
  const signature = compact(await signer.signTypedData(voucherData(at, channelId, cumulativeAmount)));
  return { number: { book: number.book, serial: number.serial }, channelId, cumulativeAmount, signature };
}

/** True when a total was signed by one of these. */
export async function isSignedBy(at: Binding, signers: readonly Address[], channelId: Hex, cumulativeAmount: bigint, signature: Hex): Promise<boolean> {
  const signer = await signerOf(voucherDigest(at, channelId, cumulativeAmount), signature);
  return signer !== undefined && signers.some((one) => getAddress(one) === signer);
}
