/**
 * Makes the published `@x402/fetch` pay from Rivulet channels: the scheme `channel` of x402 version 2.
 *
 * ```ts
 * const scheme = new ChannelScheme({ signer: session, channels: [opened], store }); // all three from @rivulet/client
 * const client = new x402Client().register('eip155:420420420', scheme);
 * client.setSpendControls({ allowedAssets: [{ network: 'eip155:420420420', asset: opened.terms.token, maxAmountPerPayment: '200000' }] });
 * const pay = wrapFetchWithPayment(forThisRequest(fetch), client);
 * const article = await pay('https://blog.example/articles/1');
 * ```
 */

import type { PaymentPayloadContext, PaymentPayloadResult, PaymentRequirements, SchemeClientHooks, SchemeNetworkClient } from '@x402/core/types';
import { type Hex, isAddressEqual } from 'viem';
import { RivuletError } from '../../../client-js/src/errors.js';
import { type Offer, SCHEME, buy, checkRedirect, checkRequest, choose, finish, fromHeader, payload, readOffer, readSettled, refuse, settle, stateOf } from '../../../client-js/src/purchases.js';
import { type Limits, type Payable, Purse } from '../../../client-js/src/purse.js';
import { type Store, memoryStore } from '../../../client-js/src/store.js';
import type { VoucherSigner } from '../../../client-js/src/voucher.js';

export { RivuletError } from '../../../client-js/src/errors.js';
export { type Binding, type ChannelTerms, purchaseData, voucherData } from '../../../client-js/src/typed-data.js';
export { type Limits, type Payable, type Store, type VoucherSigner, memoryStore };

export interface ChannelSchemeOptions {
  /** The channels' voucher signer, or their payer: a viem account. */
  readonly signer: VoucherSigner;
  /** What `@rivulet/client`'s `open` and `read` return. */
  readonly channels: readonly Payable[];
  /** Where totals and purchases are kept: `fileStore` or `browserStore` of `@rivulet/client`, which shares them with its `PayChannel`. Without, they last as long as the program. */
  readonly store?: Store;
  /** Of each channel, in its token's smallest unit, beside the client's spend controls. */
  readonly limits?: Limits;
  /** For how many steps of a price by byte or second is signed. Prices by request are not touched. Default: 1. */
  readonly steps?: bigint;
}

const offerOf = (requirements: PaymentRequirements): Offer => {
  const offer = readOffer(requirements);
  if (offer === undefined) throw new RivuletError('bad_input', `expected an offer of the scheme ${SCHEME}, given ${requirements.scheme}`);
  return offer;
};

/** Pays from channels. One signer, any number of channels; the one to an offer's payee, in its token, on its chain and contract, is taken. */
export class ChannelScheme implements SchemeNetworkClient {
  readonly scheme = SCHEME;
  readonly schemeHooks: SchemeClientHooks;
  readonly #options: ChannelSchemeOptions & { readonly store: Store };
  readonly #purses = new Map<Hex, Promise<Purse>>();

  constructor(options: ChannelSchemeOptions) {
    const { signer, channels } = options;
    for (const { terms, id } of channels) {
      if (![terms.voucherSigner, terms.payer].some((one) => isAddressEqual(one, signer.address))) {
        throw new RivuletError('not_ours', `the signer ${signer.address} may not sign for channel ${id}: expected ${terms.voucherSigner} or ${terms.payer}`);
      }
    }
    this.#options = { store: memoryStore(), ...options };
    this.schemeHooks = {
      onPaymentResponse: async ({ paymentPayload, requirements, settleResponse, paymentRequired }) => {
        // Anything else, and no answer at all: it is not known what became of the purchase. The same will be asked for again.
        if (!settleResponse && !paymentRequired) return;
        const { purse } = await this.#purse([offerOf(requirements)]);
        const { nonce } = (paymentPayload.payload as { purchase: { nonce: Hex } }).purchase;
        if (settleResponse) {
          await settle(purse, nonce, readSettled(settleResponse));
          return finish(purse, nonce);
        }
        const offers = (paymentRequired?.accepts ?? []).map(readOffer);
        const state = stateOf(purse, ...offers.map((offer) => offer?.state));
        await refuse(purse, nonce, state);
        // It had been served so often, or somebody else with this key used the channel: once more, from what it has promised.
        const error = paymentRequired?.error;
        if (error === 'used_up' || (error === 'not_enough' && state !== undefined)) return { recovered: true };
      },
    };
  }

  /** What each channel has promised in all, as far as is known here, by its id. */
  async promised(): Promise<Record<Hex, bigint>> {
    const purses = await Promise.all(this.#purses.values());
    return Object.fromEntries(purses.map((purse) => [purse.channel.id, purse.promised]));
  }

  async createPaymentPayload(x402Version: number, requirements: PaymentRequirements, context?: PaymentPayloadContext): Promise<PaymentPayloadResult> {
    const offer = offerOf(requirements);
    const { purse } = await this.#purse([offer]);
    const most = context?.maxAmountPerPayment === undefined ? undefined : BigInt(context.maxAmountPerPayment);
    const bought = await buy(purse, offer, { steps: this.#options.steps, most });
    return { x402Version, payload: payload(purse, bought) };
  }

  async #purse(offers: readonly Offer[]): Promise<{ purse: Purse; offer: Offer }> {
    const { channels, store, signer, limits } = this.#options;
    const { offer, channel } = choose(offers, channels);
    // Chain and contract are in the channel's id: the offer's are compared by it.
    const opened = this.#purses.get(channel.id) ?? Purse.open(offer.at, store, signer, channel, limits);
    this.#purses.set(channel.id, opened);
    // What the store refuses now it may give later.
    opened.catch(() => this.#purses.delete(channel.id));
    return { purse: await opened, offer };
  }
}

/**
 * A `fetch` for `wrapFetchWithPayment` that lets a site ask to be paid only for what was fetched from it. Without it a site could name another site's page,
 * and have what was signed for that page: `wrapFetchWithPayment(forThisRequest(fetch), client)`. What pays follows no redirect: that is the answer, and in browsers, which
 * hide where it leads, the error `redirected`.
 */
export const forThisRequest =
  (inner: typeof fetch): typeof fetch =>
  async (input, init) => {
    if (new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined)).has('PAYMENT-SIGNATURE')) {
      const paying = new Request(input, init);
      const paid = await inner(new Request(paying, { redirect: 'manual' }));
      checkRedirect(paid, paying.url, paying.redirect);
      return paid;
    }
    const response = await inner(input, init);
    const asked = response.status === 402 ? response.headers.get('PAYMENT-REQUIRED') : null;
    if (asked === null) return response;
    const request = input instanceof Request ? input : undefined;
    const { accepts } = fromHeader('PAYMENT-REQUIRED', asked) as { accepts?: unknown[] };
    const offers = (accepts ?? []).map(readOffer).filter((offer) => offer !== undefined);
    // What is paid is asked for again where it was asked for first, not where a redirect led: that may be another's.
    checkRequest(offers, (init?.method ?? request?.method ?? 'GET').toUpperCase(), request?.url ?? String(input));
    return response;
  };
