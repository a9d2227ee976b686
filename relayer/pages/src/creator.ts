/** The creator's page: what came, what can be claimed, what flows. */
import { Channels, type Network, type RelayTerms, type Token, Streams, tokenAt } from '@rivulet/client';
import { type Address, getAddress, isAddress } from 'viem';
import { Chart, type Day, lastDays } from './chart.js';
import { action, addressChip, byId, field, form, h, keyed, setPart, setText, toast } from './dom.js';
import { explain } from './errors.js';
import { claims, tryJson } from './footer.js';
import { AmountView, amountText, unitOf } from './format.js';
import { type Heard, Live, type Liveness } from './live.js';
import { type Setup, connect } from './setup.js';
import { type StreamCard, streamCard } from './stream-card.js';
import { Accounts } from './wallet.js';
import { type Waiting, why } from './why.js';

interface TokenRow { token: string; channels: number; accepted: string; claimed: string; pending: string; lost: string }
interface DayRow { day: string; contract: 'channels' | 'streams'; token: string; accepted: string; vouchers: number; claimed: string }
interface ChannelRow extends Waiting { book: number; serial: number; payer: string; token: string; deposit: string; claimed: string; best: { cumulative_amount: string } | null }

/** Terms change seldom. */
const TERMS_MS = 60_000;

export async function creator(setup: Setup): Promise<void> {
  const accounts = Accounts.start(setup);
  const given = new URLSearchParams(location.search).get('payee')?.trim();
  if (given === undefined || given === '') return landing(accounts);
  if (!isAddress(given, { strict: false })) return landing(accounts, `${given} is not an address: it begins with 0x and has 40 more digits.`);
  new Earnings(setup, accounts, getAddress(given)).begin();
}

const goTo = (address: string) => location.assign(`/?payee=${address}`);

async function landing(accounts: Accounts, trouble = ''): Promise<void> {
  const input = h('input', { name: 'payee', type: 'text', spellcheck: 'false', autocomplete: 'off', placeholder: '0x…', inputmode: 'text' });
  const asked = form('Show earnings', 'Looking…', async () => {
    const address = input.value.trim();
    if (!isAddress(address, { strict: false })) throw new Error(address === '' ? 'Type the address that you give to your payers' : 'That is not an address: it begins with 0x and has 40 more digits');
    goTo(getAddress(address));
  }, [field('Your address', input, 'The one that you give to payers. Nothing is signed, everybody may look.')], { class: 'ask' });
  const notice = h('p', { class: 'notice', role: 'alert' }, trouble);
  const own = h('button', { type: 'button', onclick: () => void accounts.choose().then((account) => account !== undefined && goTo(account.address)) }, 'Use my wallet’s address');
  byId('main').replaceChildren(
    h('section', { class: 'hero card' }, h('h1', {}, 'See what you earn, as it comes'), h('p', {}, 'Every payment the moment it is promised, what is ready to claim, and streams second by second.'), asked, notice, h('div', { class: 'row' }, own)));
  const known = await accounts.ofNetwork();
  if (known.length === 0) return;
  byId('main').append(h('section', { class: 'card aside' }, h('h2', {}, 'On this development network'), h('p', { class: 'hint' }, 'Look at one of its accounts:'),
    h('div', { class: 'picks row' }, ...known.map((address, i) => h('a', { class: 'pick-link', href: `/?payee=${getAddress(address)}` }, `Development account ${i + 1}`)))));
}

const LIVENESS: Readonly<Record<Liveness, readonly [string, string]>> = {
  live: ['Live', 'good'],
  polling: ['Asked every few seconds', 'warn'],
  offline: ['The relayer does not answer', 'bad'],
};

interface TokenCard {
  readonly element: HTMLElement;
  accepted: bigint;
  pending: bigint;
  claimed: bigint;
  lost: bigint;
  channels: number;
  show(): void;
}

class Earnings {
  private readonly cards = new Map<string, TokenCard>();
  private readonly streams = new Map<string, StreamCard>();
  private readonly chart = new Chart();
  private readonly cardsBox = h('section', { class: 'tokens', 'aria-label': 'Earnings by token' });
  private readonly tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Token of the chart' });
  private readonly chartBox = h('section', { class: 'card', hidden: true, 'aria-labelledby': 'by-day' });
  private readonly streamsBox = h('section', { class: 'stack', hidden: true, 'aria-labelledby': 'streams' });
  private readonly streamGrid = h('div', { class: 'grid' });
  private readonly rows = h('tbody', {});
  private readonly channelsBox = h('section', { class: 'card', hidden: true, 'aria-labelledby': 'channels' });
  private readonly feed = h('ol', { class: 'feed', 'aria-label': 'What came just now' });
  private readonly feedBox = h('section', { class: 'card', hidden: true, 'aria-labelledby': 'just-now' }, h('h2', { id: 'just-now' }, 'Just now'), this.feed);
  private readonly empty = h('section', { class: 'card hero', hidden: true });
  private readonly pill = h('span', { class: 'pill' }, 'Connecting');
  private readonly chainNotice = h('p', { class: 'notice', role: 'alert' });
  private readonly moreBox = h('div', { class: 'row' });
  private network: Network | undefined;
  private days: readonly DayRow[] = [];
  private chosen: Token | undefined;
  private pages = 1;
  private relayer: string | undefined;
  private readonly terms = new Map<string, { terms: RelayTerms; ceilingBps: number } | 'none'>();
  private termsAt = 0;

  constructor(
    private readonly setup: Setup,
    private readonly accounts: Accounts,
    private readonly payee: Address,
  ) {}

  begin(): void {
    document.title = `${this.payee.slice(0, 6)}… earns · Rivulet`;
    const csv = (by: string, label: string) => h('a', { href: `/v1/payees/${this.payee}/earnings?by=${by}&format=csv`, download: `${this.payee}-by-${by}.csv` }, label);
    const link = `${location.origin}/pay?payee=${this.payee}`;
    const copy = h('button', { type: 'button', onclick: () => void navigator.clipboard?.writeText(link).then(() => toast('Link copied: who opens it can pay you.'), () => toast(link)) }, 'Copy link to pay me');
    this.chartBox.append(h('div', { class: 'row between' }, h('h2', { id: 'by-day' }, 'By day'), this.tabs), this.chart.element, h('p', { class: 'key' }, h('i', { class: 'key-channels' }), 'payments', h('i', { class: 'key-streams' }), 'claimed from streams', h('span', { class: 'hint' }, 'Days are UTC')));
    this.streamsBox.append(h('h2', { id: 'streams' }, 'Streams to you'), this.streamGrid);
    this.channelsBox.append(
      h('div', { class: 'row between' }, h('h2', { id: 'channels' }, 'Channels'), h('span', { class: 'links' }, 'CSV: ', csv('channel', 'channels'), ' ', csv('day', 'days'), ' ', csv('token', 'totals'))),
      h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, ...['Payer', 'Channel', 'Promised', 'To claim', 'Of its deposit', 'State'].map((name) => h('th', { scope: 'col' }, name)))), this.rows)), this.moreBox);
    this.empty.append(h('h1', {}, 'Nothing has come yet'), h('p', {}, 'Payments appear here the moment somebody promises them. Give payers your address, or this link:'), h('p', {}, h('a', { href: `/pay?payee=${this.payee}` }, link)));
    byId('main').replaceChildren(
      h('section', { class: 'who' }, h('div', {}, h('h1', {}, 'Earnings'), addressChip(this.payee, { isLong: true })), h('div', { class: 'row' }, this.pill, copy, h('a', { class: 'button', href: '/' }, 'Another address'))),
      this.empty, this.cardsBox, this.chainNotice, this.streamsBox, this.chartBox, h('div', { class: 'split' }, this.channelsBox, this.feedBox));
    new Live(this.payee, (name, data) => this.heard(name, data), () => this.refresh(), (state) => this.showLiveness(state));
    void this.follow();
  }

  private showLiveness(state: Liveness): void {
    const [text, kind] = LIVENESS[state];
    setText(this.pill, text);
    this.pill.className = `pill ${kind}`;
  }

  private async refresh(): Promise<void> {
    const base = `/v1/payees/${this.payee}`;
    const [{ tokens }, { days }] = await Promise.all([tryJson<{ tokens: TokenRow[] }>(`${base}/earnings`), tryJson<{ days: DayRow[] }>(`${base}/earnings?by=day`)]);
    const channels: ChannelRow[] = [];
    let next: string | null = null;
    for (let page = 0; page < this.pages && (page === 0 || next !== null); page += 1) {
      const found: { channels: ChannelRow[]; next: string | null } = await tryJson(`${base}/channels?limit=100${next === null ? '' : `&after=${next}`}`);
      channels.push(...found.channels);
      next = found.next;
    }
    for (const row of tokens) {
      const card = this.cardOf(row.token);
      if (card === undefined) continue;
      Object.assign(card, { accepted: BigInt(row.accepted), pending: BigInt(row.pending), claimed: BigInt(row.claimed), lost: BigInt(row.lost), channels: row.channels });
      card.show();
    }
    this.days = days;
    this.showChart();
    this.showChannels(channels, next !== null);
    this.showEmpty();
  }

  private showEmpty(): void {
    this.empty.hidden = this.cards.size > 0 || this.streams.size > 0 || this.days.length > 0;
  }

  private tokenOf(address: string): Token | undefined {
    try {
      return tokenAt(this.setup.deployment, address as Address);
    } catch {
      return undefined; // a token that the deployment's file does not list has no unit to be shown in
    }
  }

  private cardOf(address: string): TokenCard | undefined {
    const token = this.tokenOf(address);
    if (token === undefined) return undefined;
    const known = this.cards.get(token.name);
    if (known !== undefined) return known;
    const [promised, claimable, claimed] = [new AmountView(token), new AmountView(token, {}, 'small'), new AmountView(token, {}, 'small')];
    const meter = h('div', { class: 'meter tall', role: 'img' }, h('i', { class: 'done' }), h('i', { class: 'due' }));
    const [count, lost] = [h('span', { class: 'hint' }), h('p', { class: 'hint' })];
    const element = h('article', { class: 'card token', 'aria-label': `${unitOf(token)} from channels`, 'data-token': token.name },
      h('div', { class: 'card-head' }, h('span', { class: `coin coin-${token.name}`, 'aria-hidden': 'true' }, unitOf(token).charAt(0)), h('h2', {}, unitOf(token)), count),
      h('div', { class: 'big' }, promised.element, h('small', {}, 'promised to you')), meter,
      h('dl', { class: 'legend' }, h('div', {}, h('dt', {}, h('i', { class: 'key-claimed' }), 'Claimed'), h('dd', {}, claimed.element)), h('div', {}, h('dt', {}, h('i', { class: 'key-pending' }), 'Ready to claim'), h('dd', {}, claimable.element))), lost);
    const card: TokenCard = {
      element, accepted: 0n, pending: 0n, claimed: 0n, lost: 0n, channels: 0,
      show() {
        promised.set(card.accepted);
        claimable.set(card.pending);
        claimed.set(card.claimed);
        const whole = card.accepted > card.claimed + card.pending ? card.accepted : card.claimed + card.pending;
        const part = (units: bigint) => (whole === 0n ? 0 : Number((units * 10_000n) / whole) / 10_000);
        setPart(meter, part(card.claimed), '--done-part');
        setPart(meter, part(card.claimed + card.pending), '--due-part');
        meter.setAttribute('aria-label', `${amountText(token, card.claimed)} claimed, ${amountText(token, card.pending)} ready to claim`);
        setText(count, `${card.channels} channel${card.channels === 1 ? '' : 's'}`);
        setText(lost, card.lost > 0n ? `${amountText(token, card.lost)} was not claimed in time or the chain refused it.` : '');
        Object.assign(element.dataset, { accepted: card.accepted.toString(), claimed: card.claimed.toString(), pending: card.pending.toString() });
      },
    };
    this.cards.set(token.name, card);
    this.cardsBox.append(element);
    return card;
  }

  private showChart(): void {
    const tokens = [...new Set(this.days.map((day) => day.token))].flatMap((address) => this.tokenOf(address) ?? []);
    const [first] = tokens;
    this.chartBox.hidden = first === undefined;
    if (first === undefined) return;
    const chosen = (this.chosen = tokens.find((token) => token.name === this.chosen?.name) ?? first);
    keyed(this.tabs, tokens.length > 1 ? tokens : [], (token) => token.name, (token) =>
      h('button', { type: 'button', onclick: () => { this.chosen = token; this.showChart(); } }, unitOf(token)));
    for (const tab of this.tabs.children) tab.setAttribute('aria-pressed', String((tab as HTMLElement).dataset['key'] === chosen.name));
    const days = new Map<string, Day>();
    for (const row of this.days.filter((day) => this.tokenOf(day.token)?.name === chosen.name)) {
      const day = days.get(row.day) ?? { day: row.day, channels: 0n, streams: 0n, vouchers: 0 };
      const isStream = row.contract === 'streams';
      days.set(row.day, { ...day, channels: day.channels + (isStream ? 0n : BigInt(row.accepted)), streams: day.streams + (isStream ? BigInt(row.claimed) : 0n), vouchers: day.vouchers + row.vouchers });
    }
    this.chart.set(chosen, lastDays([...days.values()]));
  }

  private showChannels(channels: readonly ChannelRow[], isMore: boolean): void {
    this.channelsBox.hidden = channels.length === 0;
    const keyOf = (row: ChannelRow) => `${row.book}/${row.serial}`;
    keyed(this.rows, channels, keyOf, (row) => h('tr', {},
      h('td', { 'data-label': 'Payer' }, addressChip(row.payer)), h('td', { 'data-label': 'Channel', class: 'number' }, keyOf(row)),
      h('td', { 'data-label': 'Promised', class: 'figure' }), h('td', { 'data-label': 'To claim', class: 'figure' }, h('span', {}), h('small', { class: 'why' })),
      h('td', { 'data-label': 'Of its deposit' }, h('div', { class: 'meter', role: 'img' }, h('i', { class: 'done' }), h('i', { class: 'due' }))), h('td', { 'data-label': 'State' }, h('span', { class: 'pill' }))));
    channels.forEach((row, i) => {
      const [, , promised, pending, deposit, state] = this.rows.children[i]?.children ?? [];
      const token = this.tokenOf(row.token);
      const [meter, pill] = [deposit?.firstElementChild, state?.firstElementChild];
      const [units, reason] = pending?.children ?? [];
      if (token === undefined || promised === undefined || !units || !reason || !(meter instanceof HTMLElement) || !pill) return;
      const total = BigInt(row.best?.cumulative_amount ?? row.claimed);
      setText(promised, amountText(token, total));
      setText(units, amountText(token, BigInt(row.pending)));
      setText(reason, why(row, token, { isPaused: claims.isPaused, openClaims: claims.open, relayer: this.relayer, terms: this.terms.get(token.name), now: Math.floor(Date.now() / 1_000) }));
      const whole = BigInt(row.deposit);
      const part = (units: bigint) => (whole === 0n ? 0 : Number((units * 10_000n) / whole) / 10_000);
      setPart(meter, part(BigInt(row.claimed)), '--done-part');
      setPart(meter, part(total), '--due-part');
      meter.setAttribute('aria-label', `${amountText(token, total)} of ${amountText(token, whole)}`);
      meter.title = `${amountText(token, total)} of ${amountText(token, whole)}`;
      const [text, kind] = { open: ['Open', 'good'], closing: ['Closing', 'warn'], closed: ['Closed', 'muted'] }[row.status] as [string, string];
      setText(pill, text);
      pill.className = `pill ${kind}`;
    });
    keyed(this.moreBox, isMore ? ['more'] : [], (key) => key, () => h('button', { type: 'button', onclick: () => { this.pages += 1; void this.refresh(); } }, 'Show 100 more'));
  }

  private heard<K extends keyof Heard>(name: K, data: Heard[K]): void {
    const token = this.tokenOf(data.token);
    if (token === undefined) return;
    const say = (text: string, detail: string, kind: string) => {
      this.feedBox.hidden = false;
      this.feed.prepend(h('li', { class: kind }, h('b', {}, text), h('span', {}, detail), h('time', {}, new Date().toLocaleTimeString('en', { hour12: false }))));
      while (this.feed.children.length > 8) this.feed.lastElementChild?.remove();
    };
    if (name === 'accepted') {
      const { growth, book, serial } = data as Heard['accepted'];
      const card = this.cardOf(data.token);
      if (card !== undefined) {
        card.accepted += BigInt(growth);
        card.pending += BigInt(growth);
        card.channels = Math.max(1, card.channels);
        card.show();
      }
      say(`+ ${amountText(token, BigInt(growth))}`, `channel ${book}/${serial}`, 'in');
    } else {
      const { paid, fee, contract, rows } = data as Heard['claimed'];
      const what = `${rows.length} ${contract === 'streams' ? 'stream' : 'channel'}${rows.length === 1 ? '' : 's'}`;
      say(`${amountText(token, BigInt(paid))} paid out`, `from ${what}${BigInt(fee) > 0n ? `, relay fee ${amountText(token, BigInt(fee))}` : ''}`, 'out');
      if (contract === 'streams') for (const card of this.streams.values()) card.refresh();
    }
    this.showEmpty();
  }

  /** Streams are read from the chain itself. */
  private async follow(): Promise<void> {
    try {
      this.network = await connect(this.setup, (error) => setText(this.chainNotice, `Streams cannot be shown: ${explain(error)}`));
    } catch (error) {
      return setText(this.chainNotice, `Streams cannot be shown: ${explain(error)}`);
    }
    setText(this.chainNotice, '');
    const look = async () => {
      if (!document.hidden) await this.list().catch((error: unknown) => setText(this.chainNotice, explain(error)));
      setTimeout(() => void look(), 5_000);
    };
    await look();
  }

  private async list(): Promise<void> {
    const network = this.network;
    if (network === undefined) return;
    const reading = new Streams(network);
    const found = (await Promise.all(Object.values(this.setup.deployment.tokens).map((token) => reading.listByPayee(this.payee, token)))).flat();
    setText(this.chainNotice, '');
    if (Date.now() - this.termsAt > TERMS_MS) await this.readTerms(network);
    for (const number of found) {
      const key = `${number.book}/${number.serial}`;
      if (this.streams.has(key)) continue;
      const card = streamCard(reading, number, 'payer', (made) => [this.claimButton(network, made)], () => {
        card.element.remove();
        this.streams.delete(key);
        this.streamsBox.hidden = this.streams.size === 0;
      });
      this.streams.set(key, card);
      this.streamGrid.append(card.element);
    }
    this.streamsBox.hidden = this.streams.size === 0;
    this.showEmpty();
  }

  /** What this payee pays relayers for claims of channels: why some of them wait. */
  private async readTerms(network: Network): Promise<void> {
    this.relayer ??= (await tryJson<{ relayer: { address: string } }>('/v1/info')).relayer.address;
    for (const name of this.cards.keys()) {
      const token = this.setup.deployment.tokens[name];
      if (token !== undefined) this.terms.set(name, (await new Channels(network).relayTerms(this.payee, token)) ?? 'none');
    }
    if (this.cards.size > 0) this.termsAt = Date.now();
  }

  private claimButton(network: Network, card: StreamCard): HTMLElement {
    return action('Claim now', 'Claiming…', card.notice, async () => {
      const state = card.state();
      if (state === undefined) return;
      const { wallet } = await this.accounts.need();
      const before = state.balances.paid;
      const after = await new Streams(network, wallet).claim(state);
      toast(after === undefined ? 'Claimed: that was the last of it.' : `Claimed ${amountText(state.token, after.balances.paid - before)}.`);
      card.refresh();
    }, { class: 'primary', title: 'Anyone may send it and pays its fee: the money goes to the payee' });
  }
}
