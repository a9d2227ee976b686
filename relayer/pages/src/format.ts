/** Amounts and times as people read them. Nothing is shown without its unit, and nothing is rounded up. */
import { type Deployment, type Token, RivuletError, formatAmount, parseAmount } from '@rivulet/client';
import { h } from './dom.js';

/** The unit as people write it. */
export const unitOf = (token: Token): string => (token.isNative ? 'DOT' : token.name.toUpperCase());

/** The same for {@link parseAmount}. */
const unitName = (token: Token): string => (token.isNative ? 'dot' : token.name);

/** As many decimals as help: two at least, six at most, unless told otherwise. */
export function digitsOf(token: Token, units: bigint, { most = 6, least = 2 } = {}): [whole: string, decimals: string] {
  const text = units.toString().padStart(token.decimals + 1, '0');
  const split = text.length - token.decimals;
  const whole = text.slice(0, split).replace(/\B(?=(\d{3})+$)/g, ',');
  const kept = text.slice(split, split + most);
  const decimals = kept.replace(/0+$/, '').padEnd(Math.min(least, token.decimals), '0');
  return [whole, decimals];
}

export function amountText(token: Token, units: bigint, options?: { most?: number; least?: number }): string {
  const [whole, decimals] = digitsOf(token, units, options);
  const isHidden = units > 0n && /^[0,.]*$/.test(`${whole}${decimals}`);
  return isHidden ? `under 0.000001 ${unitOf(token)}` : `${whole}${decimals === '' ? '' : '.'}${decimals} ${unitOf(token)}`;
}

/** An amount whose whole part stands out; the title has every digit. */
export class AmountView {
  private readonly whole = h('b', {});
  private readonly decimals = h('span', { class: 'decimals' });
  readonly element: HTMLElement;
  private shown: bigint | undefined;

  constructor(private readonly token: Token, private readonly options: { most?: number; least?: number } = {}, name = 'amount') {
    this.element = h('span', { class: name }, this.whole, this.decimals, h('span', { class: 'unit' }, ` ${unitOf(token)}`));
  }

  set(units: bigint): this {
    if (this.shown === units) return this;
    const [whole, decimals] = digitsOf(this.token, units, this.options);
    this.whole.textContent = whole;
    this.decimals.textContent = decimals === '' ? '' : `.${decimals}`;
    this.element.title = formatAmount({ token: this.token, units });
    if (this.shown !== undefined && units > this.shown) {
      this.element.classList.remove('grew');
      void this.element.offsetWidth; // the animation begins anew
      this.element.classList.add('grew');
    }
    this.shown = units;
    return this;
  }
}

/** What was typed into a number's field, of this token. */
export function amountIn(text: string, token: Token, deployment: Deployment, what: string): bigint {
  const typed = text.trim();
  if (!/^\d+(\.\d+)?$/.test(typed)) throw new RivuletError('bad_input', `${what}: write a number with a point, such as 0.10, and no sign or comma${typed === '' ? '' : `; given ${typed}`}`);
  const { units } = parseAmount(`${typed}${unitName(token)}`, deployment);
  if (units === 0n) throw new RivuletError('bad_input', `${what}: more than zero`);
  return units;
}

const SPANS = [['d', 86_400], ['h', 3_600], ['min', 60], ['s', 1]] as const;

/** The two largest parts of a time: `2 d 3 h`. */
export function span(secs: number): string {
  let rest = Math.max(0, Math.round(secs));
  if (rest > 3650 * 86_400) return 'over ten years';
  const parts: string[] = [];
  for (const [name, length] of SPANS) {
    const count = Math.floor(rest / length);
    if (count > 0) parts.push(`${count} ${name}`);
    rest -= count * length;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

/** A scaled rate in the period that makes a number of it: `3.60 USDC an hour`. */
export function rateText(token: Token, ratePerSecondScaled: bigint): string {
  const periods = [['second', 1n], ['minute', 60n], ['hour', 3_600n], ['day', 86_400n], ['30 days', 2_592_000n]] as const;
  const one = 10n ** BigInt(token.decimals);
  // A rate is rounded down when it is made: the nearest unit is what was meant.
  const per = (secs: bigint) => (ratePerSecondScaled * secs + 500_000_000n) / 1_000_000_000n;
  const whole = periods.find(([, secs]) => per(secs) * 20n >= one) ?? periods[4];
  const isRound = periods.find(([, secs]) => per(secs) >= one && per(secs) % (one / 100n) === 0n);
  const [name, secs] = isRound ?? whole;
  return `${amountText(token, per(secs), { most: 6 })} ${name === 'hour' ? 'an' : name === '30 days' ? 'in' : 'a'} ${name}`;
}
