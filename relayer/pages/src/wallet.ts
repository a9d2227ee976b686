/** Who pays for transactions: a wallet in this browser (EIP-1193, found by EIP-6963 where there are several), or a development account whose key the RPC has. */
import { RivuletError, type Wallet } from '@rivulet/client';
import { type Address, type EIP1193Provider, createWalletClient, custom, getAddress, http, toHex } from 'viem';
import { addressChip, avatar, byId, h, noticeOf, setText, shortAddress, toast } from './dom.js';
import { explain } from './errors.js';
import { type Setup, developmentAccounts } from './setup.js';

export interface Account {
  readonly address: Address;
  readonly kind: 'wallet' | 'development';
  readonly wallet: Wallet;
}

interface Found {
  readonly name: string;
  readonly provider: EIP1193Provider;
}

const KEPT = 'rivulet:pages:account';
type Events = Pick<Window, 'addEventListener' | 'dispatchEvent'>;

/** Wallets announce themselves; one that only puts itself at `window.ethereum` is taken too. */
function providers(): Found[] {
  const found: Found[] = [];
  const heard = (event: Event) => {
    const { info, provider } = (event as CustomEvent<{ info: { name: string }; provider: EIP1193Provider }>).detail;
    if (!found.some((known) => known.provider === provider)) found.push({ name: info.name, provider });
  };
  const here = window as Events & { ethereum?: EIP1193Provider };
  here.addEventListener('eip6963:announceProvider', heard);
  here.dispatchEvent(new Event('eip6963:requestProvider'));
  if (found.length === 0 && here.ethereum !== undefined) found.push({ name: 'Browser wallet', provider: here.ethereum });
  return found;
}

export class Accounts {
  private known: Account | undefined;
  private development: readonly Address[] = [];
  private readonly listeners: (() => void)[] = [];

  private readonly looked: Promise<void>;

  private constructor(private readonly setup: Setup) {
    this.looked = this.resume().catch(() => undefined);
  }

  /** Accounts of a development network; an RPC that does not answer has none. */
  async ofNetwork(): Promise<readonly Address[]> {
    await this.looked;
    return this.development;
  }

  /** With whoever was connected when the page was left, as soon as that is known; a wallet is not asked, only looked at. */
  static start(setup: Setup): Accounts {
    const made = new Accounts(setup);
    made.show();
    return made;
  }

  get current(): Account | undefined {
    return this.known;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The account to send with, on the right chain; asks for one if there is none. */
  async need(): Promise<Account> {
    await this.looked;
    const account = this.known ?? (await this.choose());
    if (account === undefined) throw new RivuletError('no_wallet', 'connect an account first: its button is at the top of this page');
    if (account.kind === 'wallet') await this.switchChain(account.wallet);
    return account;
  }

  /** The same, when it has to be this one. */
  async needThis(address: Address, what: string): Promise<Account> {
    const account = await this.need();
    if (account.address !== getAddress(address)) throw new RivuletError('no_wallet', `only ${what} ${shortAddress(address)} can do that, and ${shortAddress(account.address)} is connected: switch the account`);
    return account;
  }

  private async resume(): Promise<void> {
    this.development = await developmentAccounts(this.setup);
    const [kind, address] = (localStorage.getItem(KEPT) ?? '').split(' ');
    if (address === undefined) return;
    if (kind === 'development') {
      const found = this.development.find((one) => getAddress(one) === address);
      if (found !== undefined) this.take(this.ofDevelopment(found));
      return;
    }
    for (const { provider } of providers()) {
      const allowed = await provider.request({ method: 'eth_accounts' });
      const found = allowed.find((one) => getAddress(one) === address);
      if (found !== undefined) return this.take(this.ofWallet(provider, found));
    }
  }

  private ofDevelopment(given: Address): Account {
    const address = getAddress(given);
    return { address, kind: 'development', wallet: createWalletClient({ account: address, chain: this.setup.chain, transport: http(this.setup.rpcUrl) }) };
  }

  private ofWallet(provider: EIP1193Provider, given: Address): Account {
    const address = getAddress(given);
    provider.on?.('accountsChanged', (accounts) => {
      if (this.known?.kind !== 'wallet') return;
      const [first] = accounts;
      if (first === undefined) this.leave();
      else if (getAddress(first) !== this.known.address) this.take(this.ofWallet(provider, first));
    });
    // What was declined is not asked again.
    const transport = custom(provider, { retryCount: 0 });
    return { address, kind: 'wallet', wallet: createWalletClient({ account: address, chain: this.setup.chain, transport }) };
  }

  /** Wallets that do not know the chain are told of it. */
  private async switchChain(wallet: Wallet): Promise<void> {
    const { chain } = this.setup;
    if ((await wallet.getChainId()) === chain.id) return;
    try {
      await wallet.switchChain({ id: chain.id });
    } catch (error) {
      const { code } = (error as { cause?: { code?: number }; code?: number }).cause ?? (error as { code?: number });
      if (code === 4001) throw error;
      await wallet.addChain({ chain });
      // Some wallets add it and stay where they were.
      if ((await wallet.getChainId()) !== chain.id) await wallet.switchChain({ id: chain.id });
    }
    if ((await wallet.getChainId()) !== chain.id) throw new RivuletError('wrong_chain', `the wallet is not on chain ${toHex(chain.id)}`);
  }

  private take(account: Account): void {
    this.known = account;
    localStorage.setItem(KEPT, `${account.kind} ${account.address}`);
    this.changed();
  }

  private leave(): void {
    this.known = undefined;
    localStorage.removeItem(KEPT);
    this.changed();
  }

  private changed(): void {
    this.show();
    for (const listener of this.listeners) listener();
  }

  private show(): void {
    const account = this.known;
    const open = () => void this.choose();
    byId('corner').replaceChildren(account === undefined
      ? h('button', { type: 'button', class: 'connect', onclick: open }, 'Connect')
      : h('button', { type: 'button', class: 'connect is-on', onclick: open, 'aria-label': `Connected as ${account.address}: change` }, avatar(account.address), h('span', {}, shortAddress(account.address))));
  }

  /** Lets people choose. Undefined: they left it. */
  async choose(): Promise<Account | undefined> {
    await this.looked;
    return new Promise((resolve) => {
      const notice = noticeOf();
      const done = () => dialog.close();
      const pick = (picture: Node, name: string, detail: string, connect: () => Promise<Account>) =>
        h('button', {
          type: 'button', class: 'pick',
          onclick: () => void connect().then((account) => { this.take(account); done(); toast(`Connected as ${shortAddress(account.address)}.`); }, (error: unknown) => setText(notice, explain(error))),
        }, picture, h('span', {}, h('b', {}, name), h('small', {}, detail)));
      const wallets = providers().map(({ name, provider }) =>
        pick(h('i', { class: 'wallet-icon', 'aria-hidden': 'true' }), name, 'Asks you before each transaction', async () => {
          const [address] = await provider.request({ method: 'eth_requestAccounts' });
          if (address === undefined) throw new RivuletError('no_wallet', 'the wallet gave no account: unlock it and try again');
          return this.ofWallet(provider, address);
        }));
      const development = this.development.map((address, i) => pick(avatar(address), `Development account ${i + 1}`, shortAddress(address), async () => this.ofDevelopment(address)));
      const dialog = h('dialog', { 'aria-label': 'Connect an account' },
        h('div', { class: 'row' }, h('h2', {}, 'Connect an account'), h('button', { type: 'button', class: 'close', 'aria-label': 'Close', onclick: done }, '×')),
        this.known !== undefined && h('div', { class: 'row connected' }, addressChip(this.known.address), h('button', { type: 'button', onclick: () => { this.leave(); done(); } }, 'Disconnect')),
        wallets.length > 0 ? h('div', { class: 'picks' }, ...wallets) : h('p', { class: 'hint' }, 'There is no wallet in this browser. Install one for Ethereum, then reload this page.'),
        development.length > 0 && h('div', { class: 'picks' }, h('p', { class: 'hint' }, 'Accounts of this development network. Everybody has their keys: their money is worth nothing.'), ...development),
        notice);
      dialog.addEventListener('close', () => {
        dialog.remove();
        resolve(this.known);
      });
      document.body.append(dialog);
      dialog.showModal();
    });
  }
}
