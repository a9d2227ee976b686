/** Earnings by day, as bars: what channels promised, and on top of it what streams paid out. The arrow keys walk over the days. */
import type { Token } from '@rivulet/client';
import { h, setText, svg } from './dom.js';
import { amountText } from './format.js';

export interface Day {
  /** `2026-11-20`, UTC. */
  readonly day: string;
  readonly channels: bigint;
  readonly streams: bigint;
  readonly vouchers: number;
}

const DAYS = 30;
const [WIDTH, HEIGHT, TOP, BOTTOM] = [720, 200, 14, 22];
const MS_PER_DAY = 86_400_000;

const dayName = (day: string): string => new Date(`${day}T00:00:00Z`).toLocaleDateString('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });

/** The next round number: 1, 2 or 5 and zeros. */
function ceiling(units: bigint): bigint {
  for (let step = 1n; ; step *= 10n) for (const first of [1n, 2n, 5n]) if (first * step >= units) return first * step;
}

/** The last thirty days, today last, each there whether something came or not. */
export function lastDays(found: readonly Day[], now = Date.now()): Day[] {
  const known = new Map(found.map((day) => [day.day, day]));
  return [...Array(DAYS).keys()].map((i) => {
    const day = new Date(now - (DAYS - 1 - i) * MS_PER_DAY).toISOString().slice(0, 10);
    return known.get(day) ?? { day, channels: 0n, streams: 0n, vouchers: 0 };
  });
}

export class Chart {
  private readonly plot = h('div', { class: 'plot', tabindex: 0, role: 'group' });
  private readonly said = h('p', { class: 'chart-said', 'aria-live': 'polite' });
  readonly element = h('figure', { class: 'chart' }, this.said, this.plot);
  private days: readonly Day[] = [];
  private token: Token | undefined;
  private chosen = DAYS - 1;
  private shown = '';

  constructor() {
    this.plot.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -DAYS, End: DAYS }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.choose(this.chosen + step);
    });
    const point = (event: PointerEvent) => {
      const box = this.plot.getBoundingClientRect();
      this.choose(Math.floor(((event.clientX - box.left) / box.width) * DAYS));
    };
    this.plot.addEventListener('pointermove', point);
    this.plot.addEventListener('pointerdown', point);
    this.plot.addEventListener('pointerleave', () => this.choose(DAYS - 1));
  }

  set(token: Token, days: readonly Day[]): void {
    const now = JSON.stringify([token.name, days], (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
    if (now === this.shown) return;
    this.shown = now;
    [this.token, this.days] = [token, days];
    this.draw(token);
    this.choose(this.chosen);
  }

  private draw(token: Token): void {
    const most = this.days.reduce((most, { channels, streams }) => (channels + streams > most ? channels + streams : most), 0n);
    const top = most === 0n ? 10n ** BigInt(token.decimals) : ceiling(most);
    const [room, slot] = [HEIGHT - TOP - BOTTOM, WIDTH / DAYS];
    // Four digits of a part are enough for a picture.
    const height = (units: bigint) => (Number((units * 10_000n) / top) / 10_000) * room;
    const grid = [0n, top / 2n, top].map((units) => svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: HEIGHT - BOTTOM - height(units), y2: HEIGHT - BOTTOM - height(units) }));
    const bars = this.days.map(({ channels, streams }, i) => {
      const [low, high] = [height(channels), height(streams)];
      const bar = (name: string, y: number, tall: number) => svg('rect', { class: name, x: i * slot + slot * 0.16, width: slot * 0.68, y: HEIGHT - BOTTOM - y - tall, height: tall, rx: Math.min(3, tall / 2) });
      const least = (tall: number, units: bigint) => (units > 0n ? Math.max(2, tall) : 0);
      return svg('g', { class: 'day' }, svg('rect', { class: 'hover', x: i * slot, width: slot, y: TOP - 6, height: room + 6, rx: 4 }),
        bar('bar-channels', 0, least(low, channels)), bar('bar-streams', low, least(high, streams)));
    });
    const names = [0, 10, 20, DAYS - 1].map((i) => h('span', {}, i === DAYS - 1 ? 'Today' : dayName(this.days[i]?.day ?? '')));
    const total = this.days.reduce((sum, { channels, streams }) => sum + channels + streams, 0n);
    this.plot.setAttribute('aria-label', `Earnings by day: ${amountText(token, total)} in ${DAYS} days. Left and right arrows read out each day.`);
    this.plot.replaceChildren(
      svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT - BOTTOM + 2}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...grid, ...bars),
      h('span', { class: 'axis-top', 'aria-hidden': 'true' }, amountText(token, top, { least: 0 })),
      h('div', { class: 'axis', 'aria-hidden': 'true' }, ...names));
  }

  private choose(i: number): void {
    this.chosen = Math.max(0, Math.min(DAYS - 1, i));
    this.plot.querySelectorAll('.day').forEach((bar, n) => bar.classList.toggle('is-chosen', n === this.chosen));
    const [day, token] = [this.days[this.chosen], this.token];
    if (day === undefined || token === undefined) return;
    const when = this.chosen === DAYS - 1 ? 'Today' : dayName(day.day);
    const parts = [day.vouchers > 0 && `${day.vouchers} payment${day.vouchers === 1 ? '' : 's'}`, day.streams > 0n && `${amountText(token, day.streams)} of it from streams`].filter((part) => part !== false);
    setText(this.said, `${when}: ${amountText(token, day.channels + day.streams)}${parts.length > 0 ? ` · ${parts.join(' · ')}` : ''}`);
  }
}
