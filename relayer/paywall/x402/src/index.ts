/**
 * Makes the published `@x402/fetch` pay from Rivulet channels: the scheme `channel` of x402 version 2.
 *
 * ```ts
 * const scheme = new ChannelScheme({ signer: privateKeyToAccount(sessionKey), channels: [channel] });
 * const client = new x402Client().register('eip155:420420420', scheme);
 * client.setSpendControls({ allowedAssets: [{ network: 'eip155:420420420', asset: channel.token, maxAmountPerPayment: '200000' }] });
 * const pay = wrapFetchWithPayment(fetch, client);
 * const article = await pay('https://blog.example/articles/1');
 * ```
 */

import type { PaymentPayloadContext, PaymentPayloadResult, PaymentRequirements, SchemeClientHooks, SchemeNetworkClient } from '@x402/core/types';
import { compactSignatureToSignature, hashTypedData, parseCompactSignature, recoverAddress, serializeSignature, type Address, type Hex } from 'viem';
import { generatePrivateKey } from 'viem/accounts';
import { purchase, voucher, type Contract, type Signer } from './typed-data.js';

export { purchase, voucher, type Contract, type Signer };

/** A channel's terms, flat. From `@rivulet/client`: `{ ...c.terms, channelId: c.id, openedAt: Number(c.terms.openedAt), deposit: c.deposit }`. */
export interface ChannelTerms {
  book: number;
  serial: number;
  channelId: Hex;
  payer: Address;
  payee: Address;
  voucherSigner: Address;
  /** Zero: the native token. */
  token: Address;
  challengePeriodSecs: number;
  openedAt: number;
  /** All that was put in. Without it nothing here stops at the deposit; the relayer does. */
  deposit?: bigint;
}

export interface ChannelSchemeOptions {
  /** The channels' voucher signer, or their payer. */
  signer: Signer;
  channels: ChannelTerms[];
  /** The most that steps of one answer may cost together, as a multiple of the price of a step. Prices by request are not touched. Default: 1. */
  steps?: bigint;
  /** What was promised before, by channel id. Without it the paywall says, and the channel's own signature proves it. */
  promised?: Record<Hex, bigint>;
}

/** What the paywall says of a channel. */
interface State {
  channel_id: Hex;
  accepted: string;
  signature?: Hex;
  available: string;
}

/** What `extra` of an offer has. */
interface Extra {
  channels: Address;
  unit: 'request' | { bytes: number } | { secs: number };
  request: string;
  now: number;
  state?: State;
}

/** What is known of one channel. */
interface Account {
  terms: ChannelTerms;
  /** The highest total that was signed. */
  promised: bigint;
  /** What of it can be spent, as far as is known. */
  available: bigint;
}

/** A purchase whose answer has not come: asked for again, it is the same. */
interface Pending {
  account: Account;
  amount: bigint;
  payload: Record<string, unknown>;
  validUntil: number;
}

/** What of our own payload is looked at again. */
interface PurchasePayload {
  purchase: { amount: string };
}

const extraOf = (requirements: PaymentRequirements) => requirements.extra as unknown as Extra;
const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
// Thirty-two random bytes: Node 18 has no global `crypto`, viem brings its own.
const random32 = generatePrivateKey;

const contractOf = (requirements: PaymentRequirements): Contract => ({
  chainId: Number(requirements.network.replace('eip155:', '')),
  address: extraOf(requirements).channels,
});

/** 65 bytes, from 64 (EIP-2098) or 65. */
const long = (signature: Hex): Hex =>
  signature.length === 130 ? serializeSignature(compactSignatureToSignature(parseCompactSignature(signature))) : signature;

/** Pays from channels. One signer, any number of channels; the one to an offer's payee, in its token, is taken. */
export class ChannelScheme implements SchemeNetworkClient {
  readonly scheme = 'channel';
  readonly schemeHooks: SchemeClientHooks;
  readonly #signer: Signer;
  readonly #accounts: Account[];
  readonly #steps: bigint;
  readonly #pending = new Map<string, Pending>();

  constructor({ signer, channels, steps = 1n, promised = {} }: ChannelSchemeOptions) {
    for (const { voucherSigner, payer, channelId } of channels) {
      if (!same(signer.address, voucherSigner) && !same(signer.address, payer)) {
        throw new Error(`the signer ${signer.address} may not sign for channel ${channelId}: expected ${voucherSigner} or ${payer}`);
      }
    }
    this.#signer = signer;
    this.#steps = steps;
    this.#accounts = channels.map((terms) => ({ terms, promised: promised[terms.channelId] ?? 0n, available: 0n }));
    this.schemeHooks = {
      onPaymentResponse: async ({ paymentPayload, requirements, settleResponse, paymentRequired }) => {
        const account = this.#account(requirements);
        const key = this.#key(account, requirements);
        if (settleResponse) {
          this.#pending.delete(key);
          await this.#learn(account, requirements, (settleResponse.extra as { state?: State } | undefined)?.state);
        } else if (paymentRequired) {
          this.#pending.delete(key);
          const told = paymentRequired.accepts.find((a) => a.scheme === this.scheme && same(a.asset, requirements.asset));
          const state = told && extraOf(told).state;
          if (!state) {
            account.available += BigInt((paymentPayload.payload as unknown as PurchasePayload).purchase.amount);
          } else if ((await this.#learn(account, requirements, state)) && paymentRequired.error === 'not_enough') {
            // Somebody else with this key, or we before we forgot, used the channel: once more from what it has promised.
            return { recovered: true };
          }
        }
        // Anything else, and no answer at all: it is not known what became of the purchase. The same will be asked for again.
      },
    };
  }

  /** What was promised by each channel: worth keeping, though the paywall can tell. */
  get promised(): Record<Hex, bigint> {
    return Object.fromEntries(this.#accounts.map((a) => [a.terms.channelId, a.promised]));
  }

  async createPaymentPayload(x402Version: number, requirements: PaymentRequirements, context?: PaymentPayloadContext): Promise<PaymentPayloadResult> {
    const extra = extraOf(requirements);
    const account = this.#account(requirements);
    const at = contractOf(requirements);
    const key = this.#key(account, requirements);
    const before = this.#pending.get(key);
    if (before && before.validUntil > extra.now) {
      return { x402Version, payload: before.payload };
    }
    const price = BigInt(requirements.amount);
    let amount = extra.unit === 'request' ? price : price * this.#steps;
    if (context?.maxAmountPerPayment !== undefined && amount > BigInt(context.maxAmountPerPayment)) {
      amount = BigInt(context.maxAmountPerPayment);
    }
    if (amount < price) {
      throw new Error(`the price is ${price}, at most ${amount} may be spent`);
    }
    // Never more than the price at a time, whatever the paywall says is left: that it could only make smaller.
    const missing = amount > account.available ? amount - account.available : 0n;
    const total = account.promised + missing;
    const { terms } = account;
    if (terms.deposit !== undefined && total > terms.deposit) {
      throw new Error(`channel ${terms.book}/${terms.serial} holds ${terms.deposit}, ${total} would be promised: top it up`);
    }
    account.promised = total;
    account.available = account.available + missing - amount;
    const nonce = random32();
    const validUntil = extra.now + Math.max(1, requirements.maxTimeoutSeconds - 5);
    const [voucherSignature, purchaseSignature] = await Promise.all([
      this.#signer.signTypedData(voucher(at, terms.channelId, total)),
      this.#signer.signTypedData(purchase(at, { channelId: terms.channelId, amount, request: extra.request, nonce, validUntil: BigInt(validUntil) })),
    ]);
    const payload = {
      channel: {
        book: terms.book,
        serial: terms.serial,
        payer: terms.payer,
        voucher_signer: terms.voucherSigner,
        challenge_period_secs: terms.challengePeriodSecs,
        opened_at: terms.openedAt,
      },
      voucher: { channel_id: terms.channelId, cumulative_amount: String(total), signature: voucherSignature },
      purchase: { amount: String(amount), nonce, valid_until: validUntil, signature: purchaseSignature },
    };
    this.#pending.set(key, { account, amount, payload, validUntil });
    return { x402Version, payload };
  }

  #key(account: Account, requirements: PaymentRequirements): string {
    return `${account.terms.channelId} ${extraOf(requirements).request}`;
  }

  #account(requirements: PaymentRequirements): Account {
    const found = this.#accounts.find(({ terms }) => same(terms.payee, requirements.payTo) && same(terms.token, requirements.asset));
    if (!found) {
      throw new Error(`no channel to ${requirements.payTo} in ${requirements.asset}: open one`);
    }
    return found;
  }

  /** Takes over what the paywall says, as far as it is proven by a signature of ours. True: it was news. */
  async #learn(account: Account, requirements: PaymentRequirements, state?: State): Promise<boolean> {
    const { terms } = account;
    if (!state || !same(state.channel_id, terms.channelId)) {
      return false;
    }
    const accepted = BigInt(state.accepted);
    const before = { promised: account.promised, available: account.available };
    if (accepted > account.promised) {
      const hash = hashTypedData(voucher(contractOf(requirements), terms.channelId, accepted));
      const by = state.signature && (await recoverAddress({ hash, signature: long(state.signature) }));
      if (!by || (!same(by, terms.voucherSigner) && !same(by, terms.payer))) {
        throw new Error(`the paywall says that ${accepted} was promised, but shows no signature of ours`);
      }
      account.promised = accepted;
    }
    // What was promised beyond it will be accepted with the next voucher. What purchases under way cost is spoken for.
    let left = BigInt(state.available) + (account.promised - accepted);
    for (const pending of this.#pending.values()) {
      left -= pending.account === account ? pending.amount : 0n;
    }
    account.available = left > 0n ? left : 0n;
    return before.promised !== account.promised || before.available !== account.available;
  }
}

/**
 * A `fetch` for `wrapFetchWithPayment` that lets a site ask to be paid only for what was fetched from it. Without it a site could name another site's page,
 * and have what was signed for that page: `wrapFetchWithPayment(forThisRequest(fetch), client)`.
 */
export const forThisRequest =
  (inner: typeof fetch): typeof fetch =>
  async (input, init) => {
    const response = await inner(input, init);
    const asked = response.status === 402 ? response.headers.get('PAYMENT-REQUIRED') : null;
    if (asked === null) return response;
    const request = input instanceof Request ? input : undefined;
    const { host, pathname, search } = new URL(response.url || (request?.url ?? String(input)));
    const fetched = `${(init?.method ?? request?.method ?? 'GET').toUpperCase()} ${host}${pathname}${search}`;
    const { accepts } = JSON.parse(atob(asked)) as { accepts: { scheme: string; extra?: { request?: string } }[] };
    const other = accepts.find((a) => a.scheme === 'channel' && a.extra?.request !== fetched);
    if (other !== undefined) throw new Error(`the site asks to be paid for ${other.extra?.request}; fetched was ${fetched}: nothing was signed`);
    return response;
  };
