import type { Hex } from 'viem';
import type { ChannelState, Channels } from './channels.js';
import { RivuletError } from './errors.js';
import { type Limits, Purse } from './purse.js';
import { type Relayer, type Sent, Rejected } from './relayer.js';
import type { Store } from './store.js';
import { type ChannelNumber, channelsOf } from './typed-data.js';
import type { SignedVoucher, VoucherSigner } from './voucher.js';

/**
 * A channel from its payer's side: what it holds and what it has promised.
 *
 * A total is in the store before its signature leaves {@link pay}. It only grows, and grows beyond what this payer knows only by a total that carries the
 * signature of this channel's own key, or that the chain has paid out. So nobody can talk a payer into more than it promised.
 */
export class PayChannel {
  private constructor(
    private readonly channels: Channels,
    /** Its totals, for {@link payingFetch}. */
    readonly purse: Purse,
    private known: ChannelState,
  ) {}

  /** A channel that was opened, here or elsewhere, with what the store knows of it. Throws `not_ours` when it takes no vouchers of this key. */
  static async of(channels: Channels, store: Store, signer: VoucherSigner, channel: ChannelState, limits: Limits = {}): Promise<PayChannel> {
    return new PayChannel(channels, await Purse.open(channelsOf(channels.network.deployment), store, signer, channel, limits), channel);
  }

  /** The same by number, as the last final block has it. Throws `unknown_number` when it is not there. */
  static async find(channels: Channels, store: Store, signer: VoucherSigner, number: ChannelNumber, limits: Limits = {}): Promise<PayChannel> {
    const state = await channels.read(number);
    if (state === undefined) throw new RivuletError('unknown_number', `channel ${number.book}/${number.serial} is closed, or not final yet`);
    return PayChannel.of(channels, store, signer, state, limits);
  }

  /** What the chain said last. */
  get state(): ChannelState {
    return this.known;
  }

  /** The best voucher known here: {@link sendAgain} hands it over when an answer was lost. */
  get voucher(): SignedVoucher | undefined {
    return this.purse.voucher;
  }

  /** All that this channel has promised, as far as is known here, in the token's smallest unit. */
  get promised(): bigint {
    return this.purse.promised;
  }

  /** What can still be promised, in the token's smallest unit: what is covered, within the limit. */
  get left(): bigint {
    return this.purse.left;
  }

  /** Asks the chain again: after a top-up, a claim or a request of another program. */
  async refresh(): Promise<ChannelState> {
    const { terms } = this.known;
    const state = await this.channels.read(terms);
    if (state === undefined) throw new RivuletError('unknown_number', `channel ${terms.book}/${terms.serial} is closed`);
    // The number may be another channel's after a reorganization.
    if (state.id !== this.known.id) throw new RivuletError('not_as_asked', `channel ${terms.book}/${terms.serial} is another one now: open a new channel`);
    this.purse.know(state);
    return (this.known = state);
  }

  /**
   * Promises so much more, in the token's smallest unit. Nothing is sent: hand the voucher to whoever is paid, or use {@link payTo}.
   * Throws `over_limit` and `not_covered`; then nothing was promised.
   */
  async pay(units: bigint): Promise<SignedVoucher> {
    return this.purse.pay(units);
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
      const ours = await this.latest();
      if (ours !== undefined && best.cumulativeAmount <= ours.cumulativeAmount) return this.deliver(relayer, ours);
      await this.resumeFrom(best.cumulativeAmount, best.signature);
      return relayer.send(await this.pay(units));
    }
  }

  /**
   * Hands over the last promise again, when nobody said that it arrived. Nothing more is promised: a relayer that has it says so. Undefined: nothing was ever promised.
   * A relayer that has a higher total is believed by our own signature alone: then that one is what was promised last.
   */
  async sendAgain(relayer: Relayer): Promise<Sent | undefined> {
    const ours = await this.latest();
    if (ours === undefined) return undefined;
    try {
      return await this.deliver(relayer, ours);
    } catch (error) {
      const best = error instanceof Rejected && error.problem.code === 'stale' ? error.problem.best : undefined;
      if (best === undefined) throw error;
      await this.resumeFrom(best.cumulativeAmount, best.signature);
      return this.deliver(relayer, (await this.latest()) ?? ours);
    }
  }

  /** Hands over our last promise, or the one after it when that has overtaken it again. */
  private async deliver(relayer: Relayer, voucher: SignedVoucher): Promise<Sent> {
    try {
      return await relayer.send(voucher);
    } catch (error) {
      const ours = error instanceof Rejected && error.problem.code === 'stale' ? await this.latest() : undefined;
      if (ours === undefined || ours.cumulativeAmount <= voucher.cumulativeAmount) throw error;
      return this.deliver(relayer, ours);
    }
  }

  private latest(): Promise<SignedVoucher | undefined> {
    return this.purse.exclusive(async () => this.purse.voucher);
  }

  /** Goes on from a total that somebody else kept. Throws `not_ours` unless it was signed by this channel's key or its payer. */
  async resumeFrom(cumulativeAmount: bigint, signature: Hex): Promise<void> {
    return this.purse.resumeFrom(cumulativeAmount, signature);
  }
}
