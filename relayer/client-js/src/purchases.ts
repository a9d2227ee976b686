import { type Address, type Hex, getAddress, isAddress, isAddressEqual } from 'viem';
import { generatePrivateKey } from 'viem/accounts';
import { RivuletError } from './errors.js';
import { type Dealings, type KeptPurchase, type Payable, type Purse, max, min } from './purse.js';
import { compact, toCompact } from './signature.js';
import { type Binding, channelId, purchaseData } from './typed-data.js';
import type { SignedVoucher } from './voucher.js';

/** The scheme's name in x402. */
export const SCHEME = 'channel';

/** What a site's paywall says of a channel. */
export interface State {
  readonly channelId: Hex;
  /** The highest total that it accepted. */
  readonly accepted: bigint;
  /** Our own signature of it: it is believed by that alone. */
  readonly signature: Hex | undefined;
  /** What of it can still be spent there. */
  readonly available: bigint;
}

/** One way to pay for a request, as a 402 names it. */
export interface Offer {
  readonly network: string;
  /** The chain and the channels contract that it is paid through. */
  readonly at: Binding;
  /** The price, or that of a step, in the token's smallest unit. */
  readonly amount: bigint;
  /** The token's address; zero: native. */
  readonly asset: Address;
  readonly payTo: Address;
  /** How far away the end of a purchase may be. */
  readonly maxTimeoutSecs: number;
  /** What `amount` pays for. */
  readonly unit: 'request' | { readonly bytes: number } | { readonly secs: number };
  /** The price as people read it. */
  readonly price: string;
  /** What the purchase is to name: method, host, path and query. */
  readonly request: string;
  /** The paywall's clock (Unix seconds). */
  readonly now: number;
  readonly state: State | undefined;
}

/** What a paywall says of a payment that it took. */
export interface Settled {
  /** False: nothing was served, and nothing was charged. */
  readonly isServed: boolean;
  /** What was charged for this request; 0: it had been paid. */
  readonly amount: bigint;
  /** All that the purchase has cost so far. */
  readonly cost: bigint;
  readonly state: State | undefined;
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const bad = (field: string, expected: string, given: unknown) =>
  new RivuletError('bad_answer', `the paywall's ${field}: expected ${expected}, given ${JSON.stringify(given)?.slice(0, 100)}`);

function amount(field: string, value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,39}$/.test(value)) throw bad(field, 'an amount as decimal text', value);
  return BigInt(value);
}

function address(field: string, value: unknown): Address {
  if (typeof value !== 'string' || !isAddress(value, { strict: false })) throw bad(field, '0x and 40 hex digits', value);
  return getAddress(value);
}

function count(field: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw bad(field, 'a whole number', value);
  return Number(value);
}

function readState(value: unknown): State | undefined {
  if (!isObject(value)) return undefined;
  const { channel_id: id, signature } = value;
  if (typeof id !== 'string') throw bad('state.channel_id', 'text', id);
  return {
    channelId: id.toLowerCase() as Hex,
    accepted: amount('state.accepted', value['accepted']),
    signature: typeof signature === 'string' ? toCompact(signature as Hex) : undefined,
    available: amount('state.available', value['available']),
  };
}

function readUnit(value: unknown): Offer['unit'] {
  if (value === 'request') return value;
  const [bytes, secs] = isObject(value) ? [value['bytes'], value['secs']] : [];
  if (Number.isSafeInteger(bytes) && Number(bytes) > 0) return { bytes: Number(bytes) };
  if (Number.isSafeInteger(secs) && Number(secs) > 0) return { secs: Number(secs) };
  throw bad('extra.unit', '"request", {"bytes": n} or {"secs": n}', value);
}

/** Reads one of a 402's `accepts`. Undefined: another scheme than ours. Throws `bad_answer`. */
export function readOffer(value: unknown): Offer | undefined {
  if (!isObject(value) || value['scheme'] !== SCHEME) return undefined;
  const { network } = value;
  const extra = isObject(value['extra']) ? value['extra'] : {};
  const chain = typeof network === 'string' ? /^eip155:(\d{1,20})$/.exec(network)?.[1] : undefined;
  if (chain === undefined) throw bad('network', 'eip155: and a chain id', network);
  const { request, price } = extra;
  if (typeof request !== 'string') throw bad('extra.request', 'text', request);
  const price_ = amount('amount', value['amount']);
  if (price_ === 0n) throw bad('amount', 'more than nothing', '0');
  return {
    network: network as string,
    at: { chainId: BigInt(chain), contract: address('extra.channels', extra['channels']) },
    amount: price_,
    asset: address('asset', value['asset']),
    payTo: address('payTo', value['payTo']),
    maxTimeoutSecs: count('maxTimeoutSeconds', value['maxTimeoutSeconds']),
    unit: readUnit(extra['unit']),
    price: typeof price === 'string' ? price : `${price_}`,
    request,
    now: count('extra.now', extra['now']),
    state: readState(extra['state']),
  };
}

/** Reads `PAYMENT-RESPONSE`. Throws `bad_answer`. */
export function readSettled(value: unknown): Settled {
  if (!isObject(value)) throw bad('PAYMENT-RESPONSE', 'an object', value);
  const extra = isObject(value['extra']) ? value['extra'] : {};
  const charged = amount('PAYMENT-RESPONSE amount', value['amount']);
  return { isServed: value['success'] === true, amount: charged, cost: extra['cost'] === undefined ? charged : amount('extra.cost', extra['cost']), state: readState(extra['state']) };
}

/**
 * The first offer that a channel can pay, with the channel: to this payee, in this token, on this chain and contract, which all are in the channel's id.
 * Throws `wrong_contract` and `no_channel`, which say what to do.
 */
export function choose<C extends Payable>(offers: readonly Offer[], channels: readonly C[]): { offer: Offer; channel: C } {
  const pairs = offers.flatMap((offer) => channels.map((channel) => ({ offer, channel })));
  const alike = pairs.filter(({ offer, channel: { terms } }) => isAddressEqual(offer.payTo, terms.payee) && isAddressEqual(offer.asset, terms.token));
  const fitting = alike.filter(({ offer, channel }) => channelId(offer.at, channel.terms) === channel.id);
  const found = fitting.find(({ offer, channel }) => channel.cover - channel.claimed >= offer.amount) ?? fitting[0];
  if (found !== undefined) return found;
  const [other] = alike;
  if (other !== undefined) {
    const { offer, channel } = other;
    const where = `chain ${offer.at.chainId}, contract ${offer.at.contract}`;
    throw new RivuletError('wrong_contract', `the site is paid through ${where}; channel ${channel.terms.book}/${channel.terms.serial} is of another chain or contract: nothing was signed. Open a channel there, if that network is to be trusted`);
  }
  const asked = offers.map(({ payTo, asset, network, price }) => `${price} to ${payTo} in ${asset} on ${network}`).join(', or ');
  throw new RivuletError('no_channel', `the site wants ${asked}, and no channel is to that payee in that token: open one`);
}

/** A purchase, ready to go. */
export interface Bought {
  readonly purchase: KeptPurchase;
  readonly voucher: SignedVoucher;
  /** What was promised for it beyond what had been. */
  readonly added: bigint;
}

export interface HowToBuy {
  /** For how many steps is signed at a time. Not for prices by request. */
  readonly steps?: bigint | undefined;
  /** The most that it may cost, beside the channel's own limits. */
  readonly most?: bigint | undefined;
  /** What was promised for the same request before, and refused. */
  readonly already?: bigint | undefined;
}

/** Host and port of a request's text. */
const siteOf = (request: string): string => request.split(' ')[1]?.split('/')[0] ?? '';

const sum = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);
const without = (purchases: readonly KeptPurchase[], nonce: Hex) => purchases.filter((one) => one.nonce !== nonce);

/** Promises what a purchase needs beyond the credit, within all limits; signs voucher and purchase; keeps both. To be called alone. */
async function promise(purse: Purse, dealings: Dealings, purchase: Omit<KeptPurchase, 'signature'>, more: bigint, { already = 0n, most }: HowToBuy): Promise<Bought> {
  const { perPayment, perSite } = purse.limits;
  // Never more than the price, whatever the paywall says is left: that it could only make smaller.
  const added = max(0n, more - dealings.credit);
  const limit = min(most ?? purchase.amount, perPayment ?? purchase.amount);
  const site = siteOf(purchase.request);
  if (purchase.amount > limit) throw new RivuletError('over_limit', `${purchase.request} costs ${purchase.amount}, and at most ${limit} may be spent on a payment: nothing more was signed`);
  if (already + added > (perPayment ?? most ?? already + added)) {
    throw new RivuletError('over_limit', `${site} was promised ${already} for ${purchase.request}, did not serve it and asks for ${added} more: above the limit of a payment`);
  }
  const spent = (dealings.sites.get(site) ?? 0n) + added;
  if (spent > (perSite ?? spent)) throw new RivuletError('over_limit', `${site} may get ${perSite} in all, and this would make ${spent}: nothing more was signed`);
  const { signer, at, channel } = purse;
  const known = purse.voucher;
  const voucher = added > 0n || known === undefined ? await purse.sign(purse.promised + added) : known;
  const terms = { ...purchase, channelId: channel.id, validUntil: BigInt(purchase.validUntil) };
  const signed = { ...purchase, signature: compact(await signer.signTypedData(purchaseData(at, terms))) };
  const purchases = [...without(dealings.purchases, purchase.nonce), signed];
  await purse.keep({ ...dealings, credit: dealings.credit + added - more, purchases, sites: new Map(dealings.sites).set(site, spent) }, voucher);
  return { purchase: signed, voucher, added };
}

/** The end of a purchase that is signed now: within what the paywall takes, and an hour. */
const endOf = (offer: Offer, now: number): number => now + Math.max(1, Math.min(offer.maxTimeoutSecs, 3_600) - 5);

/**
 * Buys what an offer is for. A purchase by request whose answer was lost, here or in another program with this store, is taken again: it costs nothing more.
 * Throws `over_limit` and `not_covered`; then nothing was promised.
 */
export function buy(purse: Purse, offer: Offer, how: HowToBuy = {}): Promise<Bought> {
  return purse.exclusive(async (all) => {
    const dealings = { ...all, purchases: all.purchases.filter((one) => one.validUntil > offer.now) };
    const isWhole = offer.unit === 'request';
    // What has a body is served once a purchase, and one that is under way is another's.
    const isFree = (one: KeptPurchase) => one.request === offer.request && one.amount >= offer.amount && (/^(GET|HEAD) /.test(one.request) || one.isLost === true);
    const again = isWhole ? dealings.purchases.find(isFree) : undefined;
    const voucher = purse.voucher;
    if (again !== undefined && voucher !== undefined) {
      if (again.isLost === true) await purse.keep({ ...dealings, purchases: [...without(dealings.purchases, again.nonce), { ...again, isLost: false }] });
      return { purchase: again, voucher, added: 0n };
    }
    // As many steps as the limits leave, and one at least: if that is too dear, it is refused.
    const wanted = offer.amount * (isWhole ? 1n : max(1n, how.steps ?? 1n));
    const most = min(wanted, how.most ?? wanted, purse.limits.perPayment ?? wanted);
    const units = max(offer.amount, most - (most % offer.amount));
    const purchase = { request: offer.request, nonce: generatePrivateKey(), amount: units, cost: 0n, validUntil: endOf(offer, offer.now) };
    return promise(purse, dealings, purchase, units, how);
  });
}

/** Signs a purchase that goes on for so much more. `now`: the paywall's clock. */
export function raise(purse: Purse, offer: Offer, purchase: KeptPurchase, more: bigint, now: number, how: HowToBuy = {}): Promise<Bought> {
  return purse.exclusive(async (dealings) => {
    const kept = dealings.purchases.find((one) => one.nonce === purchase.nonce) ?? purchase;
    const { signature: _, ...rest } = { ...kept, amount: kept.amount + more, validUntil: endOf(offer, now) };
    return promise(purse, dealings, rest, more, how);
  });
}

/**
 * What is left after what the paywall says, as far as it is proven by our own signature: throws `not_ours`.
 * What was promised beyond its total will be accepted with the next voucher; what purchases under way may cost is spoken for.
 */
async function learn(purse: Purse, dealings: Dealings, state: State | undefined): Promise<void> {
  if (state === undefined) return purse.keep(dealings);
  const isNews = state.accepted > purse.promised;
  const voucher = isNews ? await purse.proven(state.accepted, state.signature) : purse.voucher;
  const reserved = sum(dealings.purchases.map(({ amount, cost }) => max(0n, amount - cost)));
  const left = state.available + max(purse.promised, state.accepted) - state.accepted;
  // Not by what is spoken for: of that, something may have been charged already, and what is taken from the tips here never comes back to them.
  const aside = isNews ? 0n : min(dealings.aside, left);
  await purse.keep({ ...dealings, aside, credit: max(0n, left - aside - reserved) }, voucher);
}

/** No answer came: it may be asked for again. */
export function lose(purse: Purse, nonce: Hex): Promise<void> {
  return purse.exclusive(async (dealings) => purse.keep({ ...dealings, purchases: dealings.purchases.map((one) => (one.nonce === nonce ? { ...one, isLost: true } : one)) }));
}

/** What a paywall says of this channel; of another one it has nothing to say. */
export const stateOf = (purse: Purse, ...states: (State | undefined)[]): State | undefined => states.find((state) => state?.channelId === purse.channel.id.toLowerCase());

/** An answer has come: what it says is taken over. Until {@link finish}, the purchase is kept: the rest of the answer may be lost. */
export function settle(purse: Purse, nonce: Hex, settled: Settled): Promise<void> {
  return purse.exclusive(async (all) => {
    const purchases = settled.isServed ? all.purchases.map((one) => (one.nonce === nonce ? { ...one, cost: max(one.cost, settled.cost) } : one)) : without(all.purchases, nonce);
    const dealings = { ...all, purchases };
    // A lie about the channel changes nothing, and what was paid for is here.
    await learn(purse, dealings, stateOf(purse, settled.state)).catch(async () => purse.keep(dealings));
  });
}

/** All of the answer is here, or nobody wants the rest. What it was signed for and did not cost is credit. */
export function finish(purse: Purse, nonce: Hex, cost = 0n): Promise<void> {
  return purse.exclusive(async (dealings) => {
    const purchase = dealings.purchases.find((one) => one.nonce === nonce);
    if (purchase === undefined) return;
    const rest = max(0n, purchase.amount - max(cost, purchase.cost));
    await purse.keep({ ...dealings, credit: dealings.credit + rest, purchases: without(dealings.purchases, nonce) });
  });
}

/**
 * The site did not take the purchase: it is no more, and what was promised for it is credit. Throws `not_ours` when the site makes totals up.
 * Returns what of its promise was none: when the site shows a higher total of ours, all of it was promised before.
 */
export function refuse(purse: Purse, nonce: Hex, state: State | undefined, added = 0n): Promise<bigint> {
  return purse.exclusive(async (all) => {
    const purchase = all.purchases.find((one) => one.nonce === nonce);
    const rest = purchase === undefined ? 0n : purchase.amount - purchase.cost;
    const undone = state !== undefined && state.accepted > purse.promised ? added : 0n;
    const sites = new Map(all.sites);
    if (purchase !== undefined) sites.set(siteOf(purchase.request), (sites.get(siteOf(purchase.request)) ?? 0n) - undone);
    await learn(purse, { ...all, sites, credit: all.credit + rest, purchases: without(all.purchases, nonce) }, state);
    return undone;
  });
}

/** The scheme's part of `PAYMENT-SIGNATURE`, as the paywall reads it. */
export function payload({ channel: { terms } }: Purse, { purchase, voucher }: Bought) {
  return {
    channel: {
      book: terms.book,
      serial: terms.serial,
      payer: terms.payer,
      voucher_signer: terms.voucherSigner,
      challenge_period_secs: terms.challengePeriodSecs,
      opened_at: Number(terms.openedAt),
    },
    voucher: { channel_id: voucher.channelId, cumulative_amount: `${voucher.cumulativeAmount}`, signature: voucher.signature },
    purchase: { amount: `${purchase.amount}`, nonce: purchase.nonce, valid_until: purchase.validUntil, signature: purchase.signature },
  };
}

/** What was fetched, as a purchase names it. Throws `not_this_request` when a site asks to be paid for something else. */
export function checkRequest(offers: readonly Offer[], method: string, url: string): void {
  const { host, pathname, search } = new URL(url);
  const fetched = `${method} ${host}${pathname}${search}`;
  const other = offers.find(({ request }) => request !== fetched);
  if (other !== undefined) throw new RivuletError('not_this_request', `the site asks to be paid for ${other.request}; fetched was ${fetched}: nothing was signed`);
}

const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * A paid request that was answered by a redirect: whoever follows it asks anew, without the payment. Browsers hide from scripts where it leads, and what was charged:
 * then the purchase is kept. Throws `redirected` there, and for who wants no redirects.
 */
export function checkRedirect(answer: Response, url: string, wanted: RequestRedirect): void {
  const isHidden = answer.type === 'opaqueredirect';
  if (wanted === 'manual' || !(isHidden || (wanted === 'error' && REDIRECTS.includes(answer.status)))) return;
  const where = isHidden ? 'which a browser does not show' : `to ${answer.headers.get('location')?.slice(0, 200)}`;
  throw new RivuletError('redirected', `${url} was paid for and answered by a redirect, ${where}: it was not followed, so that the payment stays where it was made; asked for again by GET, it costs nothing more`);
}

/** JSON out of a base64 header. Throws `bad_answer`. */
export function fromHeader(name: string, header: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(header), (letter) => letter.charCodeAt(0))));
  } catch (error) {
    throw new RivuletError('bad_answer', `${name}: expected base64 of JSON, given ${header.slice(0, 100)}`, { cause: error });
  }
}
