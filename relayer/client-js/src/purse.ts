import { type Hex, isAddressEqual } from 'viem';
import { RivuletError } from './errors.js';
import type { Store } from './store.js';
import type { Binding, ChannelTerms } from './typed-data.js';
import { type SignedVoucher, type VoucherSigner, isSignedBy, signVoucher } from './voucher.js';

/** What the payer allows, in the token's smallest unit. */
export interface Limits {
  /** The most that this channel may ever promise. Never more than its deposit covers. */
  readonly total?: bigint;
  /** The most that one payment may add. Of an answer that is paid by byte or second: the most that all of it may cost. */
  readonly perPayment?: bigint;
  /** The most that may ever be promised for requests to one site (host and port), by {@link payingFetch}. */
  readonly perSite?: bigint;
}

/** What of a channel is needed to sign for it. What `open`, `read` and `PayChannel.state` give is one. */
export interface Payable {
  readonly terms: ChannelTerms;
  readonly id: Hex;
  /** The highest total that is covered; of an open channel without requests, its deposit. */
  readonly cover: bigint;
  /** All that was paid out. */
  readonly claimed: bigint;
}

/** A purchase that was signed for, until all of its answer has come. */
export interface KeptPurchase {
  readonly request: string;
  readonly nonce: Hex;
  /** The most that may be charged for it. */
  readonly amount: bigint;
  /** What was charged for it, as far as is known. */
  readonly cost: bigint;
  /** Unix seconds, by the paywall's clock. */
  readonly validUntil: number;
  readonly signature: Hex;
  /** No answer came, and nobody has asked again. */
  readonly isLost?: boolean;
}

/** What is kept of a channel beside its total. */
export interface Dealings {
  /** What was promised for purchases and is, as far as is known, not spent. */
  readonly credit: bigint;
  /** What was promised beside purchases: the payee's paywall would spend it, and must not. */
  readonly aside: bigint;
  readonly purchases: readonly KeptPurchase[];
  /** What was promised for requests to each site. */
  readonly sites: ReadonlyMap<string, bigint>;
}

export const max = (...values: bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b));
export const min = (...values: bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b));

const NONE: Dealings = { credit: 0n, aside: 0n, purchases: [], sites: new Map() };

function toText({ cumulativeAmount, signature }: SignedVoucher, { credit, aside, purchases, sites }: Dealings): string {
  const kept = { promised: cumulativeAmount, signature, credit, aside, purchases, sites: [...sites] };
  return JSON.stringify(kept, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function fromText(text: string): { promised: bigint; signature: Hex; dealings: Dealings } {
  // Its own writing, whose total is proven by a signature. What an earlier version did not write is nothing.
  const kept = JSON.parse(text) as { promised: string; signature: Hex; credit?: string; aside?: string; purchases?: KeptPurchase[]; sites?: [string, string][] };
  const purchases = (kept.purchases ?? []).map((one) => ({ ...one, amount: BigInt(one.amount), cost: BigInt(one.cost) }));
  const sites = new Map((kept.sites ?? []).map(([site, spent]) => [site, BigInt(spent)]));
  return { promised: BigInt(kept.promised), signature: kept.signature, dealings: { credit: BigInt(kept.credit ?? 0), aside: BigInt(kept.aside ?? 0), purchases, sites } };
}

/**
 * All that a channel has promised, kept in a store. A total is there before its signature leaves; it only grows, and grows beyond what is known here only by one that
 * carries the signature of this channel's own key, or that the chain has paid out. Needs no chain: {@link PayChannel} is one that asks it.
 */
export class Purse {
  private constructor(
    readonly at: Binding,
    private readonly store: Store,
    readonly signer: VoucherSigner,
    readonly limits: Limits,
    private known: Payable,
    private last: SignedVoucher | undefined,
  ) {}

  /** With what the store knows of the channel. Throws `not_ours` when the channel takes no vouchers of this key, `storage` when what is kept is not by it. */
  static async open(at: Binding, store: Store, signer: VoucherSigner, channel: Payable, limits: Limits = {}): Promise<Purse> {
    const { terms } = channel;
    if (![terms.voucherSigner, terms.payer].some((one) => isAddressEqual(one, signer.address))) {
      throw new RivuletError('not_ours', `channel ${terms.book}/${terms.serial} takes vouchers of ${terms.voucherSigner} and ${terms.payer}, and this key is ${signer.address}`);
    }
    const purse = new Purse(at, store, signer, limits, channel, undefined);
    await purse.load();
    return purse;
  }

  /** The channel, as it was when somebody looked last. */
  get channel(): Payable {
    return this.known;
  }

  /** Somebody has looked again. */
  know(channel: Payable): void {
    this.known = channel;
  }

  /** How messages name it. */
  get name(): string {
    return `channel ${this.known.terms.book}/${this.known.terms.serial}`;
  }

  get voucher(): SignedVoucher | undefined {
    return this.last;
  }

  get promised(): bigint {
    return max(this.known.claimed, this.last?.cumulativeAmount ?? 0n);
  }

  /** What can still be promised. */
  get left(): bigint {
    return max(0n, min(this.known.cover, this.limits.total ?? this.known.cover) - this.promised);
  }

  /** Promises so much more, for no purchase. */
  async pay(units: bigint): Promise<SignedVoucher> {
    if (units <= 0n) throw new RivuletError('bad_input', `a payment adds something, given ${units}`);
    if (units > (this.limits.perPayment ?? units)) throw new RivuletError('over_limit', `a payment of ${units} is above the limit of ${this.limits.perPayment}`);
    return this.exclusive(async (dealings) => {
      const voucher = await this.sign(this.promised + units);
      await this.keep({ ...dealings, aside: dealings.aside + units }, voucher);
      return voucher;
    });
  }

  /** A total that is within cover and limit, signed. It is to be kept before it leaves. */
  async sign(total: bigint): Promise<SignedVoucher> {
    const { cover, terms, id } = this.known;
    if (total > cover) throw new RivuletError('not_covered', `${this.name} covers ${cover} in all, and this would make ${total}: top it up, or refresh() if that was done`);
    if (total > (this.limits.total ?? total)) throw new RivuletError('over_limit', `${this.name} may promise ${this.limits.total} in all, and this would make ${total}`);
    return signVoucher(this.at, this.signer, terms, id, total);
  }

  /** A total that somebody else kept, if it was signed by this channel's key or its payer. Throws `not_ours`. */
  async proven(cumulativeAmount: bigint, signature: Hex | undefined): Promise<SignedVoucher> {
    const { terms, id } = this.known;
    if (signature === undefined || !(await isSignedBy(this.at, [terms.voucherSigner, terms.payer], id, cumulativeAmount, signature))) {
      throw new RivuletError('not_ours', `a total of ${cumulativeAmount} for ${this.name} was not signed by its key: who says so is not to be trusted`);
    }
    return { number: { book: terms.book, serial: terms.serial }, channelId: id, cumulativeAmount, signature };
  }

  /** Goes on from such a total. */
  async resumeFrom(cumulativeAmount: bigint, signature: Hex): Promise<void> {
    const voucher = await this.proven(cumulativeAmount, signature);
    await this.exclusive(async (dealings) => {
      // What that total was promised for is not known here.
      if (cumulativeAmount > this.promised) await this.keep({ ...dealings, aside: 0n }, voucher);
    });
  }

  /** Alone among all who share the store, and with what they left there. */
  exclusive<T>(work: (dealings: Dealings) => Promise<T>): Promise<T> {
    return this.store.exclusive(this.key, async () => work(await this.load()));
  }

  /** To be called within {@link exclusive}: this is what holds from now on. */
  async keep(dealings: Dealings, voucher = this.last): Promise<void> {
    // Dealings begin with a promise.
    if (voucher === undefined) return;
    await this.store.set(this.key, toText(voucher, dealings));
    this.last = voucher;
  }

  private get key(): string {
    return `channel:${this.known.id}`;
  }

  private async load(): Promise<Dealings> {
    const text = await this.store.get(this.key);
    if (text === undefined) return NONE;
    let kept: ReturnType<typeof fromText>;
    try {
      kept = fromText(text);
    } catch (error) {
      throw new RivuletError('storage', `${this.key}: what is kept cannot be read`, { cause: error });
    }
    const { promised, signature, dealings } = kept;
    if (signature !== this.last?.signature || promised !== this.last.cumulativeAmount) {
      const voucher = await this.proven(promised, signature).catch((error: unknown) => {
        throw new RivuletError('storage', `${this.key}: what is kept was not signed by this channel's key`, { cause: error });
      });
      if (promised > (this.last?.cumulativeAmount ?? -1n)) this.last = voucher;
    }
    return dealings;
  }
}
