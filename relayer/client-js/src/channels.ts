import { type Address, type Hex, getAddress, parseEventLogs, zeroAddress } from 'viem';
import { channelsAbi } from './abi/channels.js';
import { erc20Abi } from './abi/erc20.js';
import { type Amount, checkDeposit, checkMovable } from './amounts.js';
import { type Token, tokenAt } from './deployment.js';
import { RivuletError } from './errors.js';
import type { RelayTerms } from './fee.js';
import type { BlockAt, Network, Wait, Wallet } from './network.js';
import { type Permit, signPermit } from './permit.js';
import { words } from './signature.js';
import { type ChannelNumber, type ChannelTerms, channelId, channelsOf } from './typed-data.js';
import type { SignedVoucher } from './voucher.js';

/** An open or closing channel, as the chain has it at a block. */
export interface ChannelState {
  readonly terms: ChannelTerms;
  readonly id: Hex;
  readonly token: Token;
  readonly status: 'open' | 'closing';
  /** All that was put in, refunds taken off. */
  readonly deposit: bigint;
  /** All that was paid out, relay fees included. */
  readonly claimed: bigint;
  /** The highest total that a new voucher is covered up to. */
  readonly cover: bigint;
  /** When a requested close can be finished (Unix seconds); 0: none. */
  readonly closeDueAt: bigint;
  readonly refundRequested: bigint;
  /** When that refund can be taken; 0: none. */
  readonly refundDueAt: bigint;
  /** The block that this holds for. */
  readonly at: BlockAt;
}

/** What is asked for when a channel is opened. */
export interface OpenChannel {
  readonly payee: Address;
  /** The first deposit, from {@link parseAmount}. */
  readonly deposit: Amount;
  /** Whose vouchers count: a session key's address. The payer's own always count too. */
  readonly voucherSigner: Address;
  /** How long the payee has to claim after a request to close. */
  readonly challengePeriodSecs: number;
  /** How the contract gets a token: by an allowance that is made first if it is missing, or by a permit, which needs no transaction. */
  readonly pullBy?: 'allowance' | 'permit';
}

/** A channel that is about to be opened, by what tells it from all others. */
export interface Opening extends Omit<OpenChannel, 'deposit' | 'pullBy'> {
  readonly payer: Address;
  readonly token: Address;
  /** The first deposit, in the token's smallest unit. */
  readonly units: bigint;
  /** Its serial is this or a later one. */
  readonly fromSerial: number;
  /** The final block that says so. */
  readonly at: BlockAt;
}

/** How many views are asked for at once. */
const AT_ONCE = 20;
const SECONDS_OF_A_PERMIT = 1200n;

/** The channels contract. Reading needs no wallet. */
export class Channels {
  constructor(
    readonly network: Network,
    private readonly wallet?: Wallet,
    private readonly wait: Wait = 'final',
  ) {}

  private get contract() {
    return { abi: channelsAbi, address: this.network.deployment.channels.address } as const;
  }

  private send(functionName: string, args: readonly unknown[], value = 0n) {
    return this.network.send(this.wallet, { ...this.contract, functionName, args, value }, this.wait);
  }

  /** Opens a channel. Returns when the transaction counts and the chain's own view says the same as was asked. */
  async open(wanted: OpenChannel): Promise<ChannelState> {
    const { deposit, challengePeriodSecs, pullBy = 'allowance' } = wanted;
    const [payee, voucherSigner] = [getAddress(wanted.payee), getAddress(wanted.voucherSigner)];
    checkDeposit(deposit);
    // Wallets give it in any case of letters; views have the checksum.
    const payer = getAddress((await this.network.sender(this.wallet)).account.address);
    if (payee === payer || voucherSigner === payee || voucherSigner === zeroAddress) {
      throw new RivuletError('bad_input', 'payer, payee and voucher signer: the payee can be neither of the others, and none is zero');
    }
    const args = [payee, voucherSigner, deposit.token.address, challengePeriodSecs, deposit.units] as const;
    const receipt = await (async () => {
      if (deposit.token.isNative) return this.send('open', args, deposit.units);
      if (pullBy === 'permit') {
        const { deadline, v, r, s } = await this.permit(deposit);
        return this.send('openWithPermit', [...args, deadline, v, r, s]);
      }
      await this.allow(deposit);
      return this.send('open', args);
    })();
    // The payer's own transaction: eth-rpc has its logs. Where it went is then asked of the contract.
    const opened = parseEventLogs({ abi: channelsAbi, eventName: 'ChannelOpened', logs: receipt.logs }).find((log) => getAddress(log.address) === this.contract.address);
    const state = opened && (await this.read(opened.args, this.wait === 'final' ? undefined : { number: receipt.blockNumber }));
    if (!state || !opened) throw new RivuletError('not_as_asked', `transaction ${receipt.transactionHash} opened no channel that can be found`);
    const { terms } = state;
    const asAsked =
      terms.payer === payer && terms.payee === payee && terms.voucherSigner === voucherSigner && terms.token === deposit.token.address &&
      terms.challengePeriodSecs === challengePeriodSecs && state.deposit >= deposit.units && state.id === opened.args.channelId;
    if (!asAsked) throw new RivuletError('not_as_asked', `channel ${terms.book}/${terms.serial} is not what was asked for: do not sign for it`);
    return state;
  }

  /**
   * What finds a channel again if this program ends before {@link open} returns: to be kept before `open` is called.
   *
   * @param payer Whose wallet will send.
   */
  async opening({ deposit, challengePeriodSecs, ...parties }: OpenChannel, payer: Address): Promise<Opening> {
    const at = await this.network.block('final');
    const [payee, voucherSigner, token] = [getAddress(parties.payee), getAddress(parties.voucherSigner), deposit.token.address];
    const query = { ...this.contract, blockNumber: at.number } as const;
    const book = await this.network.client.readContract({ ...query, functionName: 'bookOf', args: [payee, token] });
    const fromSerial = book === 0 ? 0 : (await this.network.client.readContract({ ...query, functionName: 'book', args: [book] }))[2];
    return { payer: getAddress(payer), payee, voucherSigner, token, challengePeriodSecs, units: deposit.units, fromSerial, at };
  }

  /** The channels that may be this one, in their last final block, first opened first: all terms are as they were asked for, the voucher signer among them. */
  async opened({ payer, payee, voucherSigner, token, challengePeriodSecs, units, fromSerial }: Opening): Promise<ChannelState[]> {
    const { client, deployment } = this.network;
    const { number: blockNumber } = await this.network.block('final');
    const numbers = await this.listByPayee(payee, tokenAt(deployment, token), fromSerial);
    const isOurs = async ({ book, serial }: ChannelNumber): Promise<boolean> => {
      const [, by, , signer, , period] = await client.readContract({ ...this.contract, functionName: 'channel', args: [book, serial], blockNumber });
      return by === payer && signer === voucherSigner && period === challengePeriodSecs;
    };
    const found: ChannelState[] = [];
    for (let at = 0; at < numbers.length; at += AT_ONCE) {
      const some = numbers.slice(at, at + AT_ONCE);
      const ours = await Promise.all(some.map(isOurs));
      for (const number of some.filter((_, i) => ours[i])) {
        const state = await this.read(number);
        if (state?.terms.voucherSigner === voucherSigner && state.terms.payer === payer && state.terms.payee === payee && state.deposit >= units) found.push(state);
      }
    }
    return found;
  }

  private async permit({ token, units }: Amount): Promise<Permit> {
    const wallet = await this.network.sender(this.wallet);
    const deadline = (await this.network.block('included')).timestamp + SECONDS_OF_A_PERMIT;
    return signPermit(this.network, wallet, { token, spender: this.contract.address, units, deadline });
  }

  /** Lets the contract pull so much of a token, unless it may already. */
  private async allow({ token, units }: Amount): Promise<void> {
    const wallet = await this.network.sender(this.wallet);
    const [owner, spender] = [wallet.account.address, this.contract.address];
    const allowed = await this.network.client.readContract({ abi: erc20Abi, address: token.address, functionName: 'allowance', args: [owner, spender] });
    if (allowed >= units) return;
    // What it is for is dry-run next, so it has only to be there.
    await this.network.send(wallet, { abi: erc20Abi, address: token.address, functionName: 'approve', args: [spender, units] }, 'included');
  }

  /** True once a channel of this number has ended, as the last final block has it. {@link read} knows neither those nor numbers that the RPC has not seen yet. */
  async isClosed({ book, serial }: ChannelNumber): Promise<boolean> {
    const { number: blockNumber } = await this.network.block('final');
    const [status] = await this.network.client.readContract({ ...this.contract, args: [book, serial], blockNumber, functionName: 'channel' });
    return status === 3;
  }

  /** A channel as the chain has it, in its last final block if none is named. Undefined: its record is gone, or it never was. */
  async read({ book, serial }: ChannelNumber, at?: { number: bigint }): Promise<ChannelState | undefined> {
    const { client, deployment } = this.network;
    const block = at === undefined ? await this.network.block('final') : await client.getBlock({ blockNumber: at.number });
    const query = { ...this.contract, args: [book, serial], blockNumber: block.number } as const;
    const [view, cover, id] = await Promise.all([
      client.readContract({ ...query, functionName: 'channel' }),
      client.readContract({ ...query, functionName: 'cover' }),
      client.readContract({ ...query, functionName: 'channelId' }),
    ]);
    const [status, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt, deposit, claimed, closeDueAt, refundRequested, refundDueAt] = view;
    if (status !== 1 && status !== 2) return undefined;
    const terms = { book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt };
    if (channelId(channelsOf(deployment), terms) !== id) throw new RivuletError('bad_answer', `channel ${book}/${serial}: the RPC's id is not the hash of its terms`);
    return {
      terms, id, token: tokenAt(deployment, token), status: status === 1 ? 'open' : 'closing', deposit, claimed, cover, closeDueAt, refundRequested, refundDueAt,
      at: { number: block.number, timestamp: block.timestamp },
    };
  }

  /** Numbers of a payee's open channels in a token, in its last final block; those from a serial on. */
  async listByPayee(payee: Address, token: Token, fromSerial = 0): Promise<ChannelNumber[]> {
    const { client } = this.network;
    const { number: blockNumber } = await this.network.block('final');
    const book = await client.readContract({ ...this.contract, functionName: 'bookOf', args: [payee, token.address], blockNumber });
    const found: ChannelNumber[] = [];
    for (let from = fromSerial; book !== 0; ) {
      const [serials, next] = await client.readContract({ ...this.contract, functionName: 'channels', args: [book, from, 400], blockNumber });
      found.push(...serials.map((serial) => ({ book, serial })));
      if (next === 0) break;
      from = next;
    }
    return found;
  }

  /** What relayers may take of a payee's claims in a token, and the ceiling of it. Undefined: nobody ever opened a channel to it, and it set none. For {@link relayFee}. */
  async relayTerms(payee: Address, token: Token): Promise<{ terms: RelayTerms; ceilingBps: number } | undefined> {
    const { client } = this.network;
    const book = await client.readContract({ ...this.contract, functionName: 'bookOf', args: [payee, token.address] });
    if (book === 0) return undefined;
    const [[, , , beneficiary, feeBps, flatFee, minGain, until], [, , ceilingBps]] = await Promise.all([
      client.readContract({ ...this.contract, functionName: 'book', args: [book] }),
      client.readContract({ ...this.contract, functionName: 'config' }),
    ]);
    return { terms: { beneficiary, feeBps, flatFee, minGain, until }, ceilingBps };
  }

  /** Puts more into a channel, whoever calls. */
  async topUp(channel: ChannelState, units: bigint): Promise<ChannelState> {
    const { terms, id, token } = channel;
    checkDeposit({ token, units });
    if (!token.isNative) await this.allow({ token, units });
    await this.send('topUp', [terms.book, terms.serial, id, units], token.isNative ? units : 0n);
    return this.reread(terms);
  }

  /** Starts the challenge period; {@link finish} then brings the balance back. It cannot be taken back. */
  async requestClose(number: ChannelNumber): Promise<ChannelState> {
    await this.send('requestClose', [number.book, number.serial]);
    return this.reread(number);
  }

  /** Asks for a part of the balance back; {@link finish} brings it when it is due. Zero takes the request back. */
  async requestRefund(channel: ChannelState, units: bigint): Promise<ChannelState> {
    checkMovable({ token: channel.token, units });
    await this.send('requestRefund', [channel.terms.book, channel.terms.serial, units]);
    return this.reread(channel.terms);
  }

  /** Executes a close or refund that is due, whoever calls. */
  async finish({ book, serial }: ChannelNumber): Promise<void> {
    await this.send('finish', [book, serial]);
  }

  /** Claims a voucher, whoever calls: the money goes to the payee. For a payee whose relayer is gone. Undefined: the channel is closed. */
  async claim({ number, cumulativeAmount, signature }: SignedVoucher): Promise<ChannelState | undefined> {
    await this.send('claim', [number.book, number.serial, cumulativeAmount, ...words(signature)]);
    return this.read(number, this.wait === 'final' ? undefined : await this.network.block('included'));
  }

  private async reread(number: ChannelNumber): Promise<ChannelState> {
    const state = await this.read(number, this.wait === 'final' ? undefined : await this.network.block('included'));
    if (state === undefined) throw new RivuletError('unknown_number', `channel ${number.book}/${number.serial} is closed`);
    return state;
  }
}
