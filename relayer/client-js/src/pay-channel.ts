import type { Hex } from 'viem';
import type { ChannelNumber, ChannelState, Channels } from './channels.js';
import { RivuletError } from './errors.js';
import { type Relayer, type Sent, Rejected } from './relayer.js';
import type { Store } from './store.js';
import { channelsOf } from './typed-data.js';
import { type SignedVoucher, type VoucherSigner, isSignedBy, signVoucher } from './voucher.js';

/** What the payer allows, in the token's smallest unit. */
export interface Limits {
  /** The most that this channel may ever promise. Never more than its deposit covers. */
  readonly total?: bigint;
  /** The most that one payment may add. */
  readonly perPayment?: bigint;
}

interface Kept {
  readonly promised: string;
  readonly signature: Hex;
}

const max = (...values: bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b));
const min = (...values: bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b));

/**
 * A channel from its payer's side: what it holds and what it has promised.
 *
 * A total is in the store before its signature leaves {@link pay}. It only grows, and grows beyond what this payer knows only by a total that carries the
 * signature of this channel's own key, or that the chain has paid out. So nobody can talk a payer into more than it promised.
 */
export class PayChannel {
  private constructor(
    private readonly channels: Channels,
    private readonly store: Store,
    private readonly signer: VoucherSigner,
    private readonly limits: Limits,
    private known: ChannelState,
    private last: SignedVoucher | undefined,
  ) {}

  /** A channel that was opened, here or elsewhere, with what the store knows of it. */
  static async of(channels: Channels, store: Store, signer: VoucherSigner, channel: ChannelState, limits: Limits = {}): Promise<PayChannel> {
    const { terms } = channel;
    if (![terms.voucherSigner, terms.payer].includes(signer.address)) {
      throw new RivuletError('not_ours', `channel ${terms.book}/${terms.serial} takes vouchers of ${terms.voucherSigner} and ${terms.payer}, and this key is ${signer.address}`);
    }
    const made = new PayChannel(channels, store, signer, limits, channel, undefined);
    const kept = await made.kept();
    if (kept !== undefined) made.last = kept;
    return made;
  }

  /** The same by number, as the last final block has it. */
  static async find(channels: Channels, store: Store, signer: VoucherSigner, number: ChannelNumber, limits: Limits = {}): Promise<PayChannel> {
    const state = await channels.read(number);
    if (state === undefined) throw new RivuletError('unknown_number', `channel ${number.book}/${number.serial} is closed, or not final yet`);
    return PayChannel.of(channels, store, signer, state, limits);
  }

  /** What the chain said last. */
  get state(): ChannelState {
    return this.known;
  }

  /** The best voucher known here: send it again when an answer was lost. */
  get voucher(): SignedVoucher | undefined {
    return this.last;
  }

  /** All that this channel has promised, as far as is known here. */
  get promised(): bigint {
    return max(this.known.claimed, this.last?.cumulativeAmount ?? 0n);
  }

  /** What can still be promised: what is covered, within the limit. */
  get left(): bigint {
    return max(0n, min(this.known.cover, this.limits.total ?? this.known.cover) - this.promised);
  }

  /** Asks the chain again: after a top-up, a claim or a request of another program. */
  async refresh(): Promise<ChannelState> {
    const { terms } = this.known;
    const state = await this.channels.read(terms);
    if (state === undefined) throw new RivuletError('unknown_number', `channel ${terms.book}/${terms.serial} is closed`);
    // The number may be another channel's after a reorganization.
    if (state.id !== this.known.id) throw new RivuletError('not_as_asked', `channel ${terms.book}/${terms.serial} is another one now: open a new channel`);
    return (this.known = state);
  }

  /** Promises so much more. Nothing is sent: hand the voucher to whoever is paid, or use {@link payTo}. */
  async pay(units: bigint): Promise<SignedVoucher> {
    if (units <= 0n) throw new RivuletError('bad_input', `a payment adds something, given ${units}`);
    if (units > (this.limits.perPayment ?? units)) throw new RivuletError('over_limit', `a payment of ${units} is above the limit of ${this.limits.perPayment}`);
    return this.exclusive(async () => {
      const total = this.promised + units;
      this.check(total);
      const voucher = await signVoucher(this.at, this.signer, this.known.terms, this.known.id, total);
      await this.keep(voucher);
      return voucher;
    });
  }

  /**
   * Pays through a relayer, and returns what it answered: then the voucher is on its disk. A relayer that knows of a higher total of our own is believed by our
   * signature alone, and paid on top of that. An answer that was lost is asked for again with the same voucher, so that nothing is paid twice.
   */
  async payTo(relayer: Relayer, units: bigint): Promise<Sent> {
    const voucher = await this.pay(units);
    try {
      return await relayer.send(voucher);
    } catch (error) {
      const best = error instanceof Rejected && error.problem.code === 'stale' ? error.problem.best : undefined;
      if (best === undefined) throw error;
      // A later promise of our own overtook this one, and has it in its total: that the relayer has it, or one above, is all that is asked.
      const ours = await this.exclusive(async () => this.last);
      if (ours !== undefined && best.cumulativeAmount <= ours.cumulativeAmount) return this.deliver(relayer, ours);
      await this.resumeFrom(best.cumulativeAmount, best.signature);
      return relayer.send(await this.pay(units));
    }
  }

  /** Hands over our last promise, or the one after it when that has overtaken it again. */
  private async deliver(relayer: Relayer, voucher: SignedVoucher): Promise<Sent> {
    try {
      return await relayer.send(voucher);
    } catch (error) {
      const ours = error instanceof Rejected && error.problem.code === 'stale' ? await this.exclusive(async () => this.last) : undefined;
      if (ours === undefined || ours.cumulativeAmount <= voucher.cumulativeAmount) throw error;
      return this.deliver(relayer, ours);
    }
  }

  /** Goes on from a total that somebody else kept. Throws `not_ours` unless it was signed by this channel's key or its payer. */
  async resumeFrom(cumulativeAmount: bigint, signature: Hex): Promise<void> {
    const { terms, id } = this.known;
    if (!(await isSignedBy(this.at, [this.signer.address, terms.voucherSigner, terms.payer], id, cumulativeAmount, signature))) {
      throw new RivuletError('not_ours', `a total of ${cumulativeAmount} for channel ${terms.book}/${terms.serial} was not signed by its key: this relayer is not to be trusted`);
    }
    await this.exclusive(async () => {
      if (cumulativeAmount > this.promised) await this.keep({ number: { book: terms.book, serial: terms.serial }, channelId: id, cumulativeAmount, signature });
    });
  }

  private get at() {
    return channelsOf(this.channels.network.deployment);
  }

  private get key(): string {
    return `channel:${this.known.id}`;
  }

  private check(total: bigint): void {
    const { cover, terms } = this.known;
    const where = `channel ${terms.book}/${terms.serial}`;
    if (total > cover) throw new RivuletError('not_covered', `${where} covers ${cover} in all, and this would make ${total}: top it up, or refresh() if that was done`);
    if (total > (this.limits.total ?? total)) throw new RivuletError('over_limit', `${where} may promise ${this.limits.total} in all, and this would make ${total}`);
  }

  /** Alone among all who share the store, and with what they left there. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.store.exclusive(this.key, async () => {
      const kept = await this.kept();
      if (kept !== undefined && kept.cumulativeAmount > this.promised) this.last = kept;
      return work();
    });
  }

  private async keep(voucher: SignedVoucher): Promise<void> {
    const kept: Kept = { promised: voucher.cumulativeAmount.toString(), signature: voucher.signature };
    await this.store.set(this.key, JSON.stringify(kept));
    this.last = voucher;
  }

  private async kept(): Promise<SignedVoucher | undefined> {
    const text = await this.store.get(this.key);
    if (text === undefined) return undefined;
    const { terms, id } = this.known;
    try {
      const { promised, signature } = JSON.parse(text) as Kept;
      const voucher = { number: { book: terms.book, serial: terms.serial }, channelId: id, cumulativeAmount: BigInt(promised), signature };
      if (await isSignedBy(this.at, [terms.voucherSigner, terms.payer], id, voucher.cumulativeAmount, signature)) return voucher;
    } catch (error) {
      throw new RivuletError('storage', `${this.key}: what is kept cannot be read`, { cause: error });
    }
    throw new RivuletError('storage', `${this.key}: what is kept was not signed by this channel's key`);
  }
}
