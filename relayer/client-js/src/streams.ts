import { type Address, type Hex, getAddress, parseEventLogs, zeroHash } from 'viem';
import { erc20Abi } from './abi/erc20.js';
import { streamsAbi } from './abi/streams.js';
import { type Amount, checkDeposit, checkMovable } from './amounts.js';
import { type Token, tokenAt } from './deployment.js';
import { RivuletError } from './errors.js';
import type { RelayTerms } from './fee.js';
import { STREAM_STATUS, type Snapshot } from './flow.js';
import type { BlockAt, Network, Wait, Wallet } from './network.js';

/** Where a stream is found. Its id outlives a hand-over, its number does not. */
export interface StreamNumber {
  readonly book: number;
  readonly serial: number;
}

/** A stream as the chain has it at a block: what {@link liveAt} counts on from. */
export interface StreamState extends Snapshot {
  readonly number: StreamNumber;
  readonly id: Hex;
  readonly payer: Address;
  readonly payee: Address;
  readonly isCancellable: boolean;
  readonly isTransferable: boolean;
  readonly memo: Hex;
  readonly block: BlockAt;
}

/** How much flows: so much a second (× 1e9, see {@link ratePerSecondScaled}), or so much by the end. */
export type Flow = { readonly ratePerSecondScaled: bigint } | { readonly total: bigint };

/** What is asked for when a stream is created. */
export interface CreateStream {
  readonly payee: Address;
  /** What is paid in at once, from {@link parseAmount}; may be less than what will be owed. */
  readonly deposit: Amount;
  readonly flow: Flow;
  /** Unix seconds; absent: now. */
  readonly startAt?: bigint;
  readonly cliff?: { readonly at: bigint; readonly amount: bigint };
  /** Absent: open-ended. A total needs it. */
  readonly endAt?: bigint;
  /** Whether the payer can stop it. True if absent: money that can be taken back is the safer default for who pays. */
  readonly isCancellable?: boolean;
  readonly isTransferable?: boolean;
  /** A part of the deposit that the payer can never take back. */
  readonly committed?: bigint;
  /** A reference of 32 bytes. */
  readonly memo?: Hex;
}

const FLAGS = { cancellable: 1, transferable: 2, cliff: 4 } as const;
/** Asks for all there is. */
const ALL = (1n << 128n) - 1n;

/** The streams contract. Reading needs no wallet. */
export class Streams {
  constructor(
    readonly network: Network,
    private readonly wallet?: Wallet,
    private readonly wait: Wait = 'final',
  ) {}

  private get contract() {
    return { abi: streamsAbi, address: this.network.deployment.streams.address } as const;
  }

  private send(functionName: string, args: readonly unknown[], value = 0n) {
    return this.network.send(this.wallet, { ...this.contract, functionName, args, value }, this.wait);
  }

  /** Creates a stream. Returns when the transaction counts and the chain's own view says the same as was asked. */
  async create(wanted: CreateStream): Promise<StreamState> {
    const { deposit, flow, startAt = 0n, cliff, endAt = 0n, committed = 0n, memo = zeroHash } = wanted;
    const payee = getAddress(wanted.payee);
    checkMovable(deposit);
    // Wallets give it in any case of letters; views have the checksum.
    const payer = getAddress((await this.network.sender(this.wallet)).account.address);
    const rate = 'total' in flow ? 0n : flow.ratePerSecondScaled;
    const total = 'total' in flow ? flow.total : 0n;
    if ('total' in flow && endAt === 0n) throw new RivuletError('bad_input', 'a total needs endAt: by when');
    const flags = (wanted.isCancellable === false ? 0 : FLAGS.cancellable) | (wanted.isTransferable === true ? FLAGS.transferable : 0) | (cliff === undefined ? 0 : FLAGS.cliff);
    if (!deposit.token.isNative) await this.allow(deposit);
    const receipt = await this.send(
      'create',
      [payee, deposit.token.address, rate, total, startAt, cliff?.at ?? 0n, cliff?.amount ?? 0n, endAt, flags, deposit.units, committed, memo],
      deposit.token.isNative ? deposit.units : 0n,
    );
    const created = parseEventLogs({ abi: streamsAbi, eventName: 'StreamCreated', logs: receipt.logs }).find((log) => getAddress(log.address) === this.contract.address);
    const state = created && (await this.read(created.args, this.wait === 'final' ? undefined : { number: receipt.blockNumber }));
    if (!state || !created) throw new RivuletError('not_as_asked', `transaction ${receipt.transactionHash} created no stream that can be found`);
    const asAsked =
      state.payer === payer && state.payee === payee && state.token.address === deposit.token.address && state.id === created.args.streamId &&
      state.schedule.endAt === endAt && (rate === 0n || state.schedule.ratePerSecondScaled === rate) && state.memo === memo;
    if (!asAsked) throw new RivuletError('not_as_asked', `stream ${state.number.book}/${state.number.serial} is not what was asked for`);
    return state;
  }

  private async allow({ token, units }: Amount): Promise<void> {
    const wallet = await this.network.sender(this.wallet);
    const [owner, spender] = [wallet.account.address, this.contract.address];
    const allowed = await this.network.client.readContract({ abi: erc20Abi, address: token.address, functionName: 'allowance', args: [owner, spender] });
    if (allowed >= units) return;
    await this.network.send(wallet, { abi: erc20Abi, address: token.address, functionName: 'approve', args: [spender, units] }, 'included');
  }

  /** A stream as the chain has it, in its last final block if none is named. Undefined: its record is gone, or it never was. */
  async read({ book, serial }: StreamNumber, at?: { number: bigint }): Promise<StreamState | undefined> {
    const { client, deployment } = this.network;
    const block = at === undefined ? await this.network.block('final') : await client.getBlock({ blockNumber: at.number });
    const query = { ...this.contract, args: [book, serial], blockNumber: block.number } as const;
    const [view, figures] = await Promise.all([
      client.readContract({ ...query, functionName: 'stream' }),
      client.readContract({ ...query, functionName: 'balances' }),
    ]);
    const [code, payer, payee, token, ratePerSecondScaled, startAt, cliffAt, cliffAmount, endAt, flags, memo, id] = view;
    const status = STREAM_STATUS[code];
    if (status === undefined) throw new RivuletError('bad_answer', `stream ${book}/${serial} has status ${code}, which this package does not know: update it`);
    if (status === 'unknown' || status === 'closed') return undefined;
    const [deposit, paid, committed, totalDebt, coveredDebt, uncoveredDebt, refundable, depletesAt] = figures;
    const cliff = (flags & FLAGS.cliff) === 0 ? undefined : { at: cliffAt, amount: cliffAmount };
    return {
      number: { book, serial }, id, payer, payee, token: tokenAt(deployment, token), status, memo,
      isCancellable: (flags & FLAGS.cancellable) !== 0, isTransferable: (flags & FLAGS.transferable) !== 0,
      schedule: { ratePerSecondScaled, startAt, cliff, endAt },
      balances: { deposit, paid, committed, totalDebt, coveredDebt, uncoveredDebt, refundable, depletesAt },
      at: block.timestamp, block: { number: block.number, timestamp: block.timestamp },
    };
  }

  /** Numbers of a payee's streams in a token that have a record, in the last final block. */
  async listByPayee(payee: Address, token: Token): Promise<StreamNumber[]> {
    const { client } = this.network;
    const { number: blockNumber } = await this.network.block('final');
    const book = await client.readContract({ ...this.contract, functionName: 'bookOf', args: [payee, token.address], blockNumber });
    const found: StreamNumber[] = [];
    for (let from = 0; book !== 0; ) {
      const [serials, next] = await client.readContract({ ...this.contract, functionName: 'streams', args: [book, from, 400], blockNumber });
      found.push(...serials.map((serial) => ({ book, serial })));
      if (next === 0) break;
      from = next;
    }
    return found;
  }

  /** What relayers may take of a payee's claims in a token, and the ceiling of it. For {@link relayFee}. */
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

  /** Puts more into a stream, whoever calls. Refused by the contract if the number has other parties by then. */
  async topUp(stream: StreamState, units: bigint): Promise<StreamState> {
    const { number, payer, payee, token } = stream;
    checkDeposit({ token, units });
    if (!token.isNative) await this.allow({ token, units });
    await this.send('topUp', [number.book, number.serial, payer, payee, token.address, units], token.isNative ? units : 0n);
    return this.reread(number);
  }

  /** Claims so much, or all there is: by the payee to any address, by anyone to the payee. Undefined: that was the last, its record is gone. */
  async claim(stream: StreamState, { units = ALL, to = stream.payee }: { units?: bigint; to?: Address } = {}): Promise<StreamState | undefined> {
    await this.send('claim', [stream.number.book, stream.number.serial, units, to]);
    return this.read(stream.number, await this.now());
  }

  /** Stops the accrual. The end does not move. */
  async pause(number: StreamNumber): Promise<StreamState> {
    return this.control('pause', number);
  }

  /** Lets it accrue again. */
  async resume(number: StreamNumber): Promise<StreamState> {
    return this.control('resume', number);
  }

  /** A new rate from now on. A cut needs a payer that may cancel. */
  async adjustRate(number: StreamNumber, ratePerSecondScaled: bigint): Promise<StreamState> {
    return this.control('adjustRate', number, ratePerSecondScaled);
  }

  /** Takes back what is neither owed nor committed: so much, or all of it. */
  async refund(number: StreamNumber, units = ALL): Promise<StreamState> {
    return this.control('refund', number, units);
  }

  /** Ends it, by payer or payee: pays the caller's side, the other becomes claimable. Undefined: nothing was left, its record is gone. */
  async cancel({ book, serial }: StreamNumber): Promise<StreamState | undefined> {
    await this.send('cancel', [book, serial]);
    return this.read({ book, serial }, await this.now());
  }

  private async now(): Promise<BlockAt | undefined> {
    return this.wait === 'final' ? undefined : this.network.block('included');
  }

  private async control(functionName: string, { book, serial }: StreamNumber, ...args: readonly unknown[]): Promise<StreamState> {
    await this.send(functionName, [book, serial, ...args]);
    return this.reread({ book, serial });
  }

  private async reread(number: StreamNumber): Promise<StreamState> {
    const state = await this.read(number, await this.now());
    if (state === undefined) throw new RivuletError('unknown_number', `stream ${number.book}/${number.serial} is closed`);
    return state;
  }
}
