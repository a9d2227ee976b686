/** A channel from its payer's side: what it holds, and paying from it without a prompt. */
import { type ChannelState, type Relayer, PayChannel, RivuletError, type Sent } from '@rivulet/client';
import { type Payer, isHeldBy } from './payer.js';
import { action, addressChip, field, form, h, noticeOf, setPart, setText, sure, toast } from './dom.js';
import { AmountView, amountIn, amountText, span, unitOf } from './format.js';
import { getJson } from './setup.js';

const EVERY_MS = 8_000;
/** How long a relayer may take to see a channel's block. */
const SEEN_MS = 60_000;
const GLANCE_MS = 400;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the relayer has the block that a channel was read at: a payment before that is promised and refused. */
export async function seenByRelayer({ at, terms }: ChannelState): Promise<void> {
  for (const until = Date.now() + SEEN_MS; Date.now() < until; await pause(GLANCE_MS)) {
    const { block_number: seen } = (await getJson('/v1/info')) as { block_number: number | null };
    if (seen !== null && BigInt(seen) >= at.number) return;
  }
  throw new RivuletError('unreachable', `the relayer does not see block ${at.number}, which has channel ${terms.book}/${terms.serial}: nothing was paid, try again later`);
}

export class ChannelCard {
  readonly element: HTMLElement;
  private readonly notice = noticeOf();
  private readonly status = h('span', { class: 'pill' });
  private readonly paid: AmountView;
  private readonly left: HTMLElement = h('dd', {});
  private readonly deposit = h('dd', {});
  private readonly claimed = h('dd', {});
  private readonly meter = h('div', { class: 'meter tall', role: 'img' }, h('i', { class: 'done' }), h('i', { class: 'due' }));
  private readonly said = h('p', { class: 'said', role: 'status' });
  private readonly body = h('div', { class: 'card-body' });
  private readonly lacking = h('span', {});
  private readonly warning: HTMLElement;
  private shown = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isSeen = false;
  /** The relayer has said once what it has. */
  private isAsked = false;
  /** The highest total that the relayer is known to have, by our own signature or its acknowledgement. */
  private acknowledged = 0n;
  /** While it is asked what it has, or handed something, nothing is said of what it lacks. */
  private asking = 0;

  constructor(
    private readonly payer: Payer,
    private state: ChannelState,
    /** Undefined: this browser does not have the key. */
    private pay: PayChannel | undefined,
  ) {
    const { book, serial } = state.terms;
    this.paid = new AmountView(state.token);
    this.warning = h('div', { class: 'row warn-box', role: 'status', hidden: true }, this.lacking, action('Send it again', 'Sending…', this.notice, () => this.sendAgain(), { class: 'primary' }));
    this.element = h('article', { class: 'card channel', 'aria-label': `Channel ${book}/${serial}`, 'data-number': `${book}/${serial}` },
      h('div', { class: 'card-head' }, addressChip(state.terms.payee), h('span', { class: 'number' }, `${book}/${serial}`), this.status),
      h('div', { class: 'big' }, this.paid.element, h('small', {}, 'paid')), this.meter,
      h('dl', { class: 'facts' }, h('div', {}, h('dt', {}, 'Left'), this.left), h('div', {}, h('dt', {}, 'Deposit'), this.deposit), h('div', {}, h('dt', {}, 'Claimed by the payee'), this.claimed)),
      this.warning, this.body, this.said, this.notice);
    this.show();
    void this.resume();
  }

  private get relayer(): Promise<Relayer> {
    return this.payer.relayer();
  }

  private get promised(): bigint {
    return this.pay?.promised ?? this.state.claimed;
  }

  /** What was promised and nobody has said that it arrived. */
  private get unheard(): bigint {
    const { claimed } = this.state;
    const heard = this.acknowledged > claimed ? this.acknowledged : claimed;
    const signed = this.pay?.voucher?.cumulativeAmount ?? 0n;
    return signed > heard ? signed - heard : 0n;
  }

  /** After a reload, and as long as something is unheard of: what the relayer has, and whether our last promise reached it. */
  private async resume(): Promise<void> {
    this.plan();
    if (this.pay === undefined) return;
    try {
      await this.quietly(async (pay) => {
        await seenByRelayer(this.state);
        const best = await (await this.relayer).best(this.state.terms);
        // By our own signature alone: what it says besides is no proof that it has anything.
        if (best !== undefined) await pay.resumeFrom(best.cumulativeAmount, best.signature);
        this.learn(best?.cumulativeAmount ?? 0n);
        this.isAsked = true;
      });
    } catch (error) {
      if (error instanceof RivuletError && error.code === 'not_ours') setText(this.notice, 'This relayer tells of payments that this browser never signed: do not pay through it.');
    }
  }

  /** It only grows: an answer may be overtaken by a later one. */
  private learn(total: bigint): void {
    if (total > this.acknowledged) this.acknowledged = total;
  }

  private async quietly(work: (pay: PayChannel) => Promise<void>): Promise<void> {
    const { pay } = this;
    if (pay === undefined) return;
    this.asking += 1;
    try {
      await work(pay);
    } finally {
      this.asking -= 1;
      this.show();
    }
  }

  private plan(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), EVERY_MS);
  }

  private async look(): Promise<void> {
    try {
      if (!document.hidden) {
        await this.refresh();
        if (this.element.isConnected && this.asking === 0 && (!this.isAsked || this.unheard > 0n)) return await this.resume();
      }
    } catch {
      // The footer and the next press of a button tell of an RPC that is gone.
    }
    if (this.element.isConnected) this.plan();
  }

  /** What the chain says now. */
  private async refresh(): Promise<void> {
    const state = await this.payer.channels().read(this.state.terms);
    // One that the RPC does not know may be behind; the number of one that has ended is of no use any more.
    if (state === undefined ? await this.payer.channels().isClosed(this.state.terms) : state.id !== this.state.id) return this.gone();
    if (state === undefined) return;
    this.state = state;
    if (this.pay !== undefined) await this.pay.refresh();
    this.show();
  }

  private gone(): void {
    clearTimeout(this.timer);
    this.payer.forgetChannel(this.state.id);
    this.element.remove();
  }

  private show(): void {
    const { token, deposit, claimed, status, closeDueAt } = this.state;
    const promised = this.promised;
    const left = deposit > promised ? deposit - promised : 0n;
    this.paid.set(promised);
    setText(this.left, amountText(token, left));
    setText(this.deposit, amountText(token, deposit));
    setText(this.claimed, amountText(token, claimed));
    const part = (units: bigint) => (deposit === 0n ? 0 : Number((units * 10_000n) / deposit) / 10_000);
    setPart(this.meter, part(claimed), '--done-part');
    setPart(this.meter, part(promised), '--due-part');
    this.meter.setAttribute('aria-label', `${amountText(token, promised)} paid, ${amountText(token, left)} left`);
    const dueIn = Number(closeDueAt - this.state.at.timestamp);
    const isDue = status === 'closing' && dueIn <= 0;
    setText(this.status, status === 'open' ? 'Open' : isDue ? 'Can be finished' : `Closing: ${span(dueIn)} for the payee to claim`);
    this.status.className = `pill ${status === 'open' ? 'good' : 'warn'}`;
    Object.assign(this.element.dataset, { promised: promised.toString(), deposit: deposit.toString(), claimed: claimed.toString(), status });
    const unheard = this.asking > 0 ? undefined : this.unheard;
    if (unheard !== undefined) setText(this.lacking, `The relayer has not confirmed ${amountText(token, unheard)} of what you paid.`);
    // What stands while it is asked still stands.
    if (unheard !== undefined) this.warning.hidden = unheard === 0n || status !== 'open';
    const now = `${status} ${isDue}`;
    if (now === this.shown) return;
    this.shown = now;
    this.body.replaceChildren(...(status === 'open' ? this.open() : this.closing(isDue)));
  }

  private open(): HTMLElement[] {
    const { token } = this.state;
    const top = h('input', { type: 'text', inputmode: 'decimal', placeholder: '5.00', autocomplete: 'off' });
    const topUp = form('Top up', 'Topping up…', async () => {
      await this.topUp(amountIn(top.value, token, this.payer.setup.deployment, 'Amount'));
      top.value = '';
    }, [field(`More, in ${unitOf(token)}`, top)], { class: 'inline' });
    const close = action('Close', 'Asking…', this.notice, () => this.requestClose());
    const more = h('details', { class: 'more' }, h('summary', {}, 'Top up or close'), topUp, h('div', { class: 'row' }, close, h('span', { class: 'hint' }, `What is left comes back ${span(this.state.terms.challengePeriodSecs)} after you ask.`)));
    if (this.pay === undefined) return [h('p', { class: 'hint' }, 'This browser does not have the key that pays from this channel.'), more];
    const amount = h('input', { type: 'text', inputmode: 'decimal', value: token.isNative ? '0.01' : '0.10', autocomplete: 'off' });
    const payForm = form('Pay', 'Paying…', () => this.payNow(amountIn(amount.value, token, this.payer.setup.deployment, 'Amount')), [field(`Amount in ${unitOf(token)}`, amount)], { class: 'inline pay' });
    return [payForm, more];
  }

  private closing(isDue: boolean): HTMLElement[] {
    const finish = action('Finish and get the rest back', 'Finishing…', this.notice, () => this.finish(), { class: 'primary' });
    return isDue ? [h('div', { class: 'row' }, finish)] : [h('p', { class: 'hint' }, 'The payee may still claim what you paid. Come back when it is due: the button to finish appears here.')];
  }

  private heard({ receipt, voucher }: Sent, units: bigint, ms: number): void {
    const { token } = this.state;
    this.learn(voucher.cumulativeAmount);
    setText(this.notice, '');
    const proof = receipt === undefined ? '' : ' The relayer signed for it.';
    setText(this.said, `Paid ${amountText(token, units)} in ${Math.max(1, Math.round(ms))} ms: no prompt, no transaction.${proof}`);
    this.show();
  }

  private async payNow(units: bigint): Promise<void> {
    setText(this.notice, '');
    setText(this.said, '');
    const relayer = await this.relayer;
    if (!this.isSeen) await seenByRelayer(this.state);
    this.isSeen = true;
    const begun = performance.now();
    await this.quietly(async (pay) => this.heard(await pay.payTo(relayer, units), units, performance.now() - begun));
  }

  private async sendAgain(): Promise<void> {
    const begun = performance.now();
    await this.quietly(async (pay) => {
      const [lacking, sent] = [this.unheard, await pay.sendAgain(await this.relayer)];
      if (sent !== undefined) this.heard(sent, lacking, performance.now() - begun);
    });
  }

  private async topUp(units: bigint): Promise<void> {
    const { wallet } = await this.payer.accounts.need();
    // First, so that money that went in can be paid out, whatever happens to this page meanwhile.
    this.payer.keptChannels.raise(this.state.id, units);
    try {
      this.state = await this.payer.channels(wallet).topUp(this.state, units);
    } catch (error) {
      if (!(error instanceof RivuletError && error.code === 'not_final')) this.payer.keptChannels.raise(this.state.id, -units);
      throw error;
    }
    this.isSeen = false;
    this.pay = await payChannel(this.payer, this.state);
    this.show();
    toast(`Topped up by ${amountText(this.state.token, units)}.`);
    this.payer.moneyMoved();
  }

  private async requestClose(): Promise<void> {
    const { token, deposit, terms } = this.state;
    const rest = amountText(token, deposit > this.promised ? deposit - this.promised : 0n);
    if (!(await sure('Close this channel?', `Nothing more can be paid from it. The payee has ${span(terms.challengePeriodSecs)} to claim what you paid; then ${rest} comes back to you.`, 'Close it'))) return;
    const { wallet } = await this.payer.accounts.needThis(terms.payer, 'its payer');
    this.state = await this.payer.channels(wallet).requestClose(terms);
    this.show();
    toast('The close is asked for.');
  }

  private async finish(): Promise<void> {
    const { wallet } = await this.payer.accounts.need();
    const { token } = this.state;
    await this.payer.channels(wallet).finish(this.state.terms);
    toast(`Closed. What was left in ${unitOf(token)} is back with its payer.`);
    this.gone();
    this.payer.moneyMoved();
  }

  /** A card of a channel that was opened here or found, with the key of this browser if it is the channel's. */
  static async of(payer: Payer, state: ChannelState): Promise<ChannelCard> {
    return new ChannelCard(payer, state, await payChannel(payer, state));
  }
}

/** What pays from a channel; undefined: this browser does not have its key. */
async function payChannel(payer: Payer, state: ChannelState): Promise<PayChannel | undefined> {
  if (!isHeldBy(payer.session, state)) return undefined;
  const most = payer.keptChannels.find(state.id)?.most;
  return PayChannel.of(payer.channels(), payer.store, payer.session, state, most === undefined ? {} : { total: BigInt(most) });
}
