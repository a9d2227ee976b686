/** The payer's page: channels to pay from without prompts, and streams. */
import { type ChannelState, Channels, type Network, type OpenChannel, Relayer, RivuletError, type Store, Streams, type Token, type Wallet, browserStore, ratePerSecondScaled, sessionKey, tokenAt } from '@rivulet/client';
import { type Address, type LocalAccount, erc20Abi, getAddress, isAddress } from 'viem';
import { ChannelCard, seenByRelayer } from './channel-card.js';
import { action, addressChip, byId, choice, field, form, h, noticeOf, setText, shortAddress, sure, toast } from './dom.js';
import { explain, isUnsent } from './errors.js';
import { AmountView, amountIn, amountText, unitOf } from './format.js';
import { Kept, type KeptOpening, Openings } from './kept.js';
import { type Setup, connect, relayerHere } from './setup.js';
import { type StreamCard, isFlowing, isOver, streamCard } from './stream-card.js';
import { Accounts } from './wallet.js';

/** What a channel's payee gets to claim after a request to close. */
const PERIODS = [['3600', '1 hour'], ['86400', '1 day'], ['604800', '7 days'], ['60', '1 minute, to try it']] as const;
const RATES = [['1', 'second'], ['60', 'minute'], ['3600', 'hour'], ['86400', 'day'], ['2592000', '30 days']] as const;

/** How long a channel is looked for whose opening was cut off: a wallet may be asked, and a transaction wait, for so long. */
const LOOKED_FOR_SECS = 7n * 86_400n;
const LOOK_MS = 1_000;
const LOOK_MOST_MS = 60_000;

export const isHeldBy = (session: LocalAccount, { terms }: ChannelState): boolean => terms.voucherSigner === session.address;

export async function payer(setup: Setup): Promise<void> {
  const accounts = Accounts.start(setup);
  const notice = h('p', { role: 'alert', class: 'notice' });
  byId('main').replaceChildren(h('section', { class: 'hero card' }, h('h1', {}, 'Looking at the chain…'), notice));
  const network = await connect(setup, (error) => setText(notice, explain(error)));
  const store = browserStore();
  new Payer(setup, accounts, network, store, await sessionKey(store)).begin();
}

/** Asks whoever wants to leave the page to wait: what was sent is written down here when it is final. */
async function staying<T>(work: () => Promise<T>): Promise<T> {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  addEventListener('beforeunload', ask);
  try {
    return await work();
  } finally {
    removeEventListener('beforeunload', ask);
  }
}

export class Payer {
  readonly keptChannels: Kept;
  private readonly keptStreams: Kept;
  private readonly openings: Openings;
  private readonly channelCards = new Map<string, ChannelCard>();
  private readonly streamCards = new Map<string, StreamCard>();
  private readonly channelStack = h('div', { class: 'stack' });
  private readonly streamStack = h('div', { class: 'stack' });
  private readonly money = h('section', { class: 'card money', 'aria-label': 'Your account' });
  private connected: Promise<Relayer> | undefined;

  constructor(
    readonly setup: Setup,
    readonly accounts: Accounts,
    private readonly network: Network,
    readonly store: Store,
    /** Signs payments in this page. */
    readonly session: LocalAccount,
  ) {
    this.keptChannels = new Kept(setup.deployment, 'channels');
    this.keptStreams = new Kept(setup.deployment, 'streams');
    this.openings = new Openings(setup.deployment);
  }

  private get tokens(): Token[] {
    const all = Object.values(this.setup.deployment.tokens);
    // Dollars first: prices are in them.
    return [...all.filter((token) => token.name === 'usdc'), ...all.filter((token) => token.name !== 'usdc' && !token.isNative), ...all.filter((token) => token.isNative)];
  }

  channels(wallet?: Wallet): Channels {
    return new Channels(this.network, wallet);
  }

  streams(wallet?: Wallet): Streams {
    return new Streams(this.network, wallet);
  }

  /** The relayer of this page, asked who it is once. */
  relayer(): Promise<Relayer> {
    this.connected ??= relayerHere(this.setup.deployment).catch((error: unknown) => {
      this.connected = undefined;
      throw error;
    });
    return this.connected;
  }

  begin(): void {
    byId('main').replaceChildren(
      h('section', { class: 'who' }, h('div', {}, h('h1', {}, 'Pay'), h('p', { class: 'hint' }, 'Lock money once, then pay from it with no prompt and no fee. What you do not pay comes back.'))),
      this.money,
      h('div', { class: 'two' },
        h('section', { class: 'stack', 'aria-labelledby': 'by-piece' }, h('div', {}, h('h2', { id: 'by-piece' }, 'By the piece'), h('p', { class: 'hint' }, 'A channel: articles, songs, calls, tips.')), this.openForm(), this.channelStack, this.findForm()),
        h('section', { class: 'stack', 'aria-labelledby': 'by-second' }, h('div', {}, h('h2', { id: 'by-second' }, 'By the second'), h('p', { class: 'hint' }, 'A stream: video, salaries, subscriptions.')), this.createForm(), this.streamStack)));
    this.accounts.onChange(() => this.moneyMoved());
    this.moneyMoved();
    for (const number of this.keptChannels.all().reverse()) void this.showKept(number);
    for (const opening of this.openings.all()) void this.lookFor(opening);
    for (const { book, serial, id } of this.keptStreams.all().reverse()) this.showStream(book, serial, id);
    // What another tab opened.
    addEventListener('storage', () => {
      for (const number of this.keptChannels.all()) if (!this.channelCards.has(number.id)) void this.showKept(number);
      for (const { book, serial, id } of this.keptStreams.all()) if (!this.streamCards.has(id)) this.showStream(book, serial, id);
    });
  }

  /** Reads the account's balances again. */
  moneyMoved(): void {
    void this.showMoney().catch((error: unknown) => setText(this.money, explain(error)));
  }

  private async showMoney(): Promise<void> {
    const account = this.accounts.current;
    if (account === undefined) {
      this.money.replaceChildren(h('p', {}, 'No account is connected.'), h('p', { class: 'hint' }, 'It is needed to open, top up and close. Payments from an open channel need none.'), h('button', { type: 'button', class: 'primary', onclick: () => void this.accounts.choose() }, 'Connect an account'));
      return;
    }
    const { client } = this.network;
    const balances = await Promise.all(this.tokens.map(async (token) => {
      const units = token.isNative ? await client.getBalance({ address: account.address }) : await client.readContract({ abi: erc20Abi, address: token.address, functionName: 'balanceOf', args: [account.address] });
      return h('div', { class: 'balance' }, h('dt', {}, unitOf(token)), h('dd', {}, new AmountView(token, { most: 4 }).set(units).element));
    }));
    if (this.accounts.current !== account) return;
    this.money.replaceChildren(h('div', { class: 'row' }, addressChip(account.address), h('span', { class: 'hint' }, account.kind === 'development' ? 'development account' : 'your wallet')), h('dl', { class: 'balances' }, ...balances));
  }

  private payeeField(): { input: HTMLInputElement; element: HTMLElement; read: () => Address } {
    const given = new URLSearchParams(location.search).get('payee') ?? '';
    const input = h('input', { type: 'text', spellcheck: 'false', autocomplete: 'off', placeholder: '0x…', value: given });
    return {
      input,
      element: field('Payee', input),
      read: () => {
        const typed = input.value.trim();
        if (!isAddress(typed, { strict: false })) throw new RivuletError('bad_input', 'Payee: an address, which begins with 0x and has 40 more digits');
        return getAddress(typed);
      },
    };
  }

  private tokenChoice(): { select: HTMLSelectElement; read: () => Token } {
    const select = choice(this.tokens.map((token) => [token.name, unitOf(token)] as const));
    const read = () => {
      const token = this.setup.deployment.tokens[select.value];
      if (token === undefined) throw new RivuletError('bad_input', 'choose a token');
      return token;
    };
    return { select, read };
  }

  private openForm(): HTMLElement {
    const payee = this.payeeField();
    const [token, deposit] = [this.tokenChoice(), h('input', { type: 'text', inputmode: 'decimal', placeholder: '20.00', autocomplete: 'off' })];
    const period = choice(PERIODS, '86400');
    const asked = form('Open the channel', 'Opening: look at your wallet…', async () => {
      const kind = token.read();
      const wanted = { payee: payee.read(), deposit: { token: kind, units: amountIn(deposit.value, kind, this.setup.deployment, 'Deposit') }, challengePeriodSecs: Number(period.value) };
      const { wallet, kind: by } = await this.accounts.need();
      const state = await this.open(wallet, by === 'wallet', { ...wanted, voucherSigner: this.session.address });
      await seenByRelayer(state).catch(() => undefined); // it is open; paying says what is wrong with the relayer
      await this.showChannel(state);
      more.open = false;
      toast(`Channel ${state.terms.book}/${state.terms.serial} is open.`);
      this.moneyMoved();
    }, [payee.element, h('div', { class: 'pair' }, field('Deposit', deposit), field('Token', token.select)), field('Time for the payee to claim, after you close', period)]);
    const more = h('details', { class: 'card new' }, h('summary', {}, 'Open a channel'), asked);
    more.open = this.keptChannels.all().length === 0 || payee.input.value !== '';
    return more;
  }

  /** Opens a channel. What finds it is written down first, so that its number is not lost with this page. */
  private async open(wallet: Wallet, isAskedByPermit: boolean, wanted: OpenChannel): Promise<ChannelState> {
    const kept = this.openings.add(await this.channels().opening(wanted, wallet.account.address));
    try {
      const state = await this.pulled(wallet, isAskedByPermit, wanted);
      this.keep(kept, state);
      return state;
    } catch (error) {
      if (isUnsent(error)) this.openings.remove(kept.key);
      else void this.lookFor(kept);
      throw error;
    }
  }

  /** A wallet signs a permit, which costs nothing, where the token knows it; else it makes an allowance first. */
  private async pulled(wallet: Wallet, isAskedByPermit: boolean, wanted: OpenChannel): Promise<ChannelState> {
    try {
      return await this.channels(wallet).open({ ...wanted, pullBy: isAskedByPermit ? 'permit' : 'allowance' });
    } catch (error) {
      if (!(error instanceof RivuletError && error.code === 'no_permit')) throw error;
      return this.channels(wallet).open({ ...wanted, pullBy: 'allowance' });
    }
  }

  /** The channel of an opening: from now on known by its number. Another tab may have found it, and put more in, meanwhile. */
  private keep({ key, opening }: KeptOpening, { id, terms: { book, serial } }: ChannelState): void {
    const most = BigInt(this.keptChannels.find(id)?.most ?? 0);
    this.keptChannels.add({ book, serial, id, most: (most > opening.units ? most : opening.units).toString() });
    this.openings.remove(key);
  }

  /** Looks for the channel of an opening that was cut off, until the chain has it. One that takes another key's vouchers is not it. */
  private async lookFor(kept: KeptOpening): Promise<void> {
    const { key, opening } = kept;
    const { token, payee, units, at } = opening;
    const forget = h('button', { type: 'button', title: 'Only if nothing was sent: what was sent is opened, and would not be found here', onclick: () => { this.openings.remove(key); row.remove(); } }, 'Forget it');
    const what = `A channel with ${amountText(tokenAt(this.setup.deployment, token), units)} to ${shortAddress(payee)}`;
    const row = h('div', { class: 'row warn-box', role: 'status' }, h('span', {}, `${what} was being opened and is not final. It appears here as soon as it is.`), forget);
    this.channelStack.prepend(row);
    for (let pauseMs = LOOK_MS; this.openings.has(key); pauseMs = Math.min(pauseMs * 1.5, LOOK_MOST_MS)) {
      try {
        const all = await this.channels().opened(opening);
        const found = all.find((state) => isHeldBy(this.session, state) && this.keptChannels.find(state.id) === undefined);
        if (found !== undefined && this.openings.has(key)) {
          this.keep(kept, found);
          await this.showChannel(found);
          toast(`Channel ${found.terms.book}/${found.terms.serial} is open.`);
          this.moneyMoved();
        } else if ((await this.network.block()).timestamp > at.timestamp + LOOKED_FOR_SECS) this.openings.remove(key);
      } catch {
        // An RPC that is gone is told of elsewhere; what was opened is looked for again.
      }
      if (this.openings.has(key)) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    row.remove();
  }

  private findForm(): HTMLElement {
    const number = h('input', { type: 'text', placeholder: '1/0', autocomplete: 'off' });
    const asked = form('Find', 'Looking…', async () => {
      const [, book, serial] = /^(\d{1,9})\/(\d{1,9})$/.exec(number.value.trim()) ?? [];
      if (book === undefined || serial === undefined) throw new RivuletError('bad_input', 'a channel’s number is two numbers with a stroke, such as 1/0');
      const state = await this.channels().read({ book: Number(book), serial: Number(serial) });
      if (state === undefined) throw new RivuletError('unknown_number', `there is no open channel ${number.value.trim()} on this chain`);
      if (this.keptChannels.find(state.id) === undefined) this.keptChannels.add({ book: state.terms.book, serial: state.terms.serial, id: state.id });
      await this.showChannel(state);
      number.value = '';
    }, [field('Its number', number)], { class: 'inline' });
    return h('details', { class: 'more' }, h('summary', {}, 'A channel opened elsewhere'), asked);
  }

  private async showKept({ book, serial, id }: { book: number; serial: number; id: string }): Promise<void> {
    try {
      const state = await this.channels().read({ book, serial });
      if (state === undefined ? await this.channels().isClosed({ book, serial }) : state.id !== id) return this.forgetChannel(id);
      // A node that is behind does not know it yet. It is kept: its number is the way to its money.
      if (state === undefined) throw new RivuletError('unknown_number', 'the RPC does not know it yet: reload this page later');
      await this.showChannel(state);
    } catch (error) {
      const notice = noticeOf();
      setText(notice, `Channel ${book}/${serial}: ${explain(error)}`);
      this.channelStack.append(notice);
    }
  }

  private async showChannel(state: ChannelState): Promise<void> {
    if (this.channelCards.has(state.id)) return;
    const card = await ChannelCard.of(this, state);
    if (this.channelCards.has(state.id)) return;
    this.channelCards.set(state.id, card);
    this.channelStack.prepend(card.element);
  }

  forgetChannel(id: string): void {
    this.keptChannels.remove(id);
    this.channelCards.delete(id);
  }

  private createForm(): HTMLElement {
    const payee = this.payeeField();
    const token = this.tokenChoice();
    const text = (placeholder: string) => h('input', { type: 'text', inputmode: 'decimal', placeholder, autocomplete: 'off' });
    const [rate, deposit, per] = [text('3.00'), text('20.00'), choice(RATES, '3600')];
    const asked = form('Begin the stream', 'Creating: look at your wallet…', async () => {
      const kind = token.read();
      const amount = (input: HTMLInputElement, what: string) => amountIn(input.value, kind, this.setup.deployment, what);
      const flow = { ratePerSecondScaled: ratePerSecondScaled(amount(rate, 'Rate'), BigInt(per.value)) };
      const wanted = { payee: payee.read(), deposit: { token: kind, units: amount(deposit, 'Deposit') }, flow };
      const { wallet } = await this.accounts.need();
      const { number, id } = await staying(() => this.streams(wallet).create(wanted));
      this.keptStreams.add({ ...number, id });
      this.showStream(number.book, number.serial, id);
      more.open = false;
      toast(`Stream ${number.book}/${number.serial} flows.`);
      this.moneyMoved();
    }, [payee.element, h('div', { class: 'pair three' }, field('Rate', rate), field('Each', per), field('Token', token.select)), field('Deposit', deposit, 'It stops by itself when this has flowed; top up at any time.')]);
    const more = h('details', { class: 'card new' }, h('summary', {}, 'Begin a stream'), asked);
    more.open = this.keptStreams.all().length === 0;
    return more;
  }

  private showStream(book: number, serial: number, id: string): void {
    if (this.streamCards.has(id)) return;
    const forget = () => {
      this.keptStreams.remove(id);
      this.streamCards.delete(id);
      card.element.remove();
      this.moneyMoved();
    };
    const card = streamCard(this.streams(), { book, serial }, 'payee', (made, state) => {
      // The number is another stream's after a reorganization, or a chain begun anew.
      if (state.id !== id) {
        queueMicrotask(forget);
        return [];
      }
      return this.streamActions(made, state.status);
    }, forget);
    this.streamCards.set(id, card);
    this.streamStack.prepend(card.element);
  }

  private streamActions(card: StreamCard, status: Parameters<typeof isFlowing>[0]): HTMLElement[] {
    const call = (label: string, busy: string, done: string, work: (streams: Streams) => Promise<unknown>, attributes = {}) =>
      action(label, busy, card.notice, async () => {
        const state = card.state();
        if (state === undefined) return;
        const { wallet } = await this.accounts.needThis(state.payer, 'its payer');
        await work(this.streams(wallet));
        toast(done);
        card.refresh();
        this.moneyMoved();
      }, attributes);
    const number = () => card.state()?.number ?? { book: 0, serial: 0 };
    if (isOver(status)) return [h('p', { class: 'hint' }, 'It is over: what has flowed is the payee’s to claim.')];
    const running = isFlowing(status) ? call('Pause', 'Pausing…', 'Paused: nothing flows.', (streams) => streams.pause(number())) : call('Resume', 'Resuming…', 'It flows again.', (streams) => streams.resume(number()), { class: 'primary' });
    const amount = h('input', { type: 'text', inputmode: 'decimal', placeholder: '5.00', autocomplete: 'off' });
    const token = card.state()?.token;
    const topUp = form('Top up', 'Topping up…', async () => {
      const state = card.state();
      if (state === undefined) return;
      const units = amountIn(amount.value, state.token, this.setup.deployment, 'Amount');
      const { wallet } = await this.accounts.need();
      await this.streams(wallet).topUp(state, units);
      amount.value = '';
      toast(`Topped up by ${amountText(state.token, units)}.`);
      card.refresh();
      this.moneyMoved();
    }, [field(`More, in ${token === undefined ? '' : unitOf(token)}`, amount)], { class: 'inline' });
    const cancel = action('Cancel', 'Cancelling…', card.notice, async () => {
      const state = card.state();
      if (state === undefined) return;
      if (!(await sure('Cancel this stream?', 'It ends now. What has flowed stays with the payee; the rest comes back to you at once.', 'Cancel it'))) return;
      const { wallet } = await this.accounts.needThis(state.payer, 'its payer');
      await this.streams(wallet).cancel(state.number);
      toast('Cancelled: what had not flowed is back.');
      card.refresh();
      this.moneyMoved();
    });
    return [running, cancel, h('details', { class: 'more' }, h('summary', {}, 'Top up'), topUp)];
  }
}
