/** A stream whose figures run: computed here each second, by the contract's own arithmetic. */
import { type Live, type StreamNumber, type StreamState, type StreamStatus, type Streams, tick } from '@rivulet/client';
import { addressChip, h, noticeOf, setPart, setText } from './dom.js';
import { explain } from './errors.js';
import { AmountView, amountText, rateText, span } from './format.js';

const STATUS: Readonly<Record<StreamStatus, readonly [label: string, kind: string]>> = {
  unknown: ['Unknown', 'muted'], pending: ['Not begun', 'muted'], streaming: ['Flowing', 'good'], streaming_insolvent: ['Out of money', 'bad'], paused: ['Paused', 'warn'],
  paused_insolvent: ['Paused, out of money', 'warn'], ended: ['Ended', 'muted'], ended_insolvent: ['Ended, not all paid', 'bad'], cancelled: ['Cancelled', 'muted'], voided: ['Written off', 'muted'], closed: ['Closed', 'muted'],
};
export const isFlowing = (status: StreamStatus): boolean => status === 'streaming' || status === 'streaming_insolvent' || status === 'pending';
export const isOver = (status: StreamStatus): boolean => ['ended', 'ended_insolvent', 'cancelled', 'voided', 'closed'].includes(status);

export interface StreamCard {
  readonly element: HTMLElement;
  /** What the chain said last. */
  readonly state: () => StreamState | undefined;
  /** Asks the chain now: after a call. */
  readonly refresh: () => void;
  readonly stop: () => void;
  readonly notice: HTMLElement;
}

/**
 * @param other Whose address is shown: the other side's.
 * @param actions What can be done with it; called again when its status changes.
 */
export function streamCard(streams: Streams, number: StreamNumber, other: 'payer' | 'payee', actions: (card: StreamCard, state: StreamState) => readonly HTMLElement[], onGone: () => void): StreamCard {
  const notice = noticeOf();
  const status = h('span', { class: 'pill' });
  const head = h('div', { class: 'card-head' });
  const big = h('div', { class: 'big' });
  const meter = h('div', { class: 'meter', role: 'img' }, h('i', { class: 'done' }), h('i', { class: 'due' }));
  const facts = h('dl', { class: 'facts' });
  const row = h('div', { class: 'row actions' });
  const element = h('article', { class: 'card stream', 'aria-label': `Stream ${number.book}/${number.serial}` }, head, big, meter, facts, row, notice);
  const rate = h('dd', {});
  const claimable = h('dd', {});
  const left = h('dd', {});
  const lasts = h('dd', {});
  facts.append(h('div', {}, h('dt', {}, 'Rate'), rate), h('div', {}, h('dt', {}, 'To claim'), claimable), h('div', {}, h('dt', {}, 'Not flowed yet'), left), h('div', {}, h('dt', {}, 'Lasts'), lasts));
  let known: StreamState | undefined;
  let shownStatus: string | undefined;
  let flowed: AmountView | undefined;

  const first = (state: StreamState) => {
    flowed = new AmountView(state.token, { most: state.token.isNative ? 8 : 6, least: state.token.isNative ? 8 : 6 }, 'amount flowing');
    big.append(flowed.element, h('small', {}, 'flowed'));
    head.append(addressChip(state[other]), h('span', { class: 'number' }, `${number.book}/${number.serial}`), status);
  };

  const show = (live: Live | undefined, state: StreamState | undefined) => {
    if (live === undefined || state === undefined) {
      element.dataset['status'] = 'closed';
      card.stop();
      return onGone();
    }
    if (flowed === undefined) first(state);
    known = state;
    const { token } = state;
    const due = live.coveredDebt;
    flowed?.set(live.paid + due);
    const [label, kind] = STATUS[live.uncoveredDebt > 0n && state.status === 'streaming' ? 'streaming_insolvent' : state.status];
    setText(status, label);
    status.className = `pill ${kind}`;
    const part = (units: bigint) => (live.deposit === 0n ? 0 : Number((units * 10_000n) / live.deposit) / 10_000);
    setPart(meter, part(live.paid), '--done-part');
    setPart(meter, part(live.paid + due), '--due-part');
    meter.setAttribute('aria-label', `${amountText(token, live.paid)} claimed and ${amountText(token, due)} to claim, of a deposit of ${amountText(token, live.deposit)}`);
    setText(rate, rateText(token, state.schedule.ratePerSecondScaled));
    setText(claimable, amountText(token, live.claimable));
    setText(left, amountText(token, live.deposit - live.paid - due));
    setText(lasts, lastsText(live, state));
    // What one can check the running figure against: the chain's, of its block.
    Object.assign(element.dataset, { status: state.status, claimable: live.claimable.toString(), flowed: (live.paid + due).toString(), deposit: live.deposit.toString() });
    if (shownStatus !== state.status) {
      shownStatus = state.status;
      row.replaceChildren(...actions(card, state));
    }
  };

  let halt: () => void = () => undefined;
  const start = () => {
    halt();
    halt = tick(streams, number, show, { onError: (error) => setText(notice, explain(error)) });
  };
  const card: StreamCard = { element, notice, state: () => known, refresh: start, stop: () => halt() };
  start();
  return card;
}

function lastsText(live: Live, state: StreamState): string {
  if (isOver(state.status)) return 'over';
  if (state.status === 'paused' || state.status === 'paused_insolvent') return 'paused';
  if (live.uncoveredDebt > 0n) return 'top up to go on';
  const until = state.schedule.endAt !== 0n && (live.depletesAt === 0n || state.schedule.endAt < live.depletesAt) ? state.schedule.endAt : live.depletesAt;
  if (until === 0n) return 'until it is stopped';
  // Counted on the chain's clock, which `coveredDebt` follows: what has flowed since its block.
  const perSecond = state.schedule.ratePerSecondScaled;
  const since = perSecond === 0n ? 0n : ((live.totalDebt - state.balances.totalDebt) * 1_000_000_000n) / perSecond;
  return span(Number(until - state.at - since));
}
