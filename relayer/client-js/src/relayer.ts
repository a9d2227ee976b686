import { type Address, type Hex, getAddress, isAddress } from 'viem';
import type { Deployment } from './deployment.js';
import { RivuletError } from './errors.js';
import { signerOf, toCompact } from './signature.js';
import { type ChannelNumber, acknowledgementDigest, channelsOf } from './typed-data.js';
import type { SignedVoucher } from './voucher.js';

/** The highest voucher of a channel that a relayer has. */
export interface Best {
  readonly cumulativeAmount: bigint;
  readonly signature: Hex;
}

/** Why a relayer did not take something: RFC 9457. `code` is stable; all are in relayer/docs/API.md. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  /** For people. */
  readonly detail: string;
  readonly expected?: string;
  readonly given?: string;
  readonly field?: string;
  /** With `stale`: where to go on from. Believe it by its signature only. */
  readonly best?: Best;
  readonly retryAfterSecs?: number;
}

/** A relayer or a site said no. Sending the same again helps only where {@link isRetryable}. */
export class Rejected extends RivuletError {
  constructor(readonly problem: Problem) {
    super('rejected', `${problem.detail} (${problem.code})`);
  }

  get isRetryable(): boolean {
    return [429, 503, 504].includes(this.problem.status);
  }
}

/** Proof that a relayer had a voucher, by its own signature. Worth keeping until the voucher is claimed. */
export interface Receipt {
  readonly number: ChannelNumber;
  readonly channelId: Hex;
  readonly cumulativeAmount: bigint;
  /** When it was first stored (Unix seconds, the relayer's clock). */
  readonly acceptedAt: bigint;
  readonly signer: Address;
  readonly signature: Hex;
}

/** A voucher that is on a relayer's disk. */
export interface Sent {
  readonly voucher: SignedVoucher;
  /** Undefined only from a relayer that has no key for it. */
  readonly receipt: Receipt | undefined;
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
function amount(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || !/^\d{1,39}$/.test(value)) return undefined;
  const units = BigInt(value);
  return units < 1n << 128n ? units : undefined;
}
const defined = <T extends object>(fields: T) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };

function readBest(value: unknown): Best | undefined {
  if (!isObject(value)) return undefined;
  const [cumulativeAmount, signature] = [amount(value['cumulative_amount']), toCompact((text(value['signature']) ?? '0x') as Hex)];
  return cumulativeAmount === undefined || signature === undefined ? undefined : { cumulativeAmount, signature };
}

export function readProblem(value: unknown): Problem | undefined {
  if (!isObject(value)) return undefined;
  const [status, code, detail] = [value['status'], text(value['code']), text(value['detail'])];
  if (typeof status !== 'number' || code === undefined) return undefined;
  const retry = value['retry_after_secs'];
  const rest = { expected: text(value['expected']), given: text(value['given']), field: text(value['field']), best: readBest(value['best']), retryAfterSecs: typeof retry === 'number' ? retry : undefined };
  return { status, code, detail: detail ?? code, ...defined(rest) } as Problem;
}

const toJson = (v: SignedVoucher) => ({
  book: v.number.book,
  serial: v.number.serial,
  channel_id: v.channelId,
  cumulative_amount: v.cumulativeAmount.toString(),
  signature: v.signature,
});

export interface RelayerOptions {
  readonly timeoutMs?: number;
  /** How often the same is sent again when nothing, or "try again", was answered. */
  readonly attempts?: number;
  readonly fetch?: typeof fetch;
}

/** A relayer that works for a deployment. */
export class Relayer {
  private constructor(
    readonly url: string,
    private readonly deployment: Deployment,
    /** What signs its acknowledgements; undefined: it does not sign. */
    readonly acknowledgementKey: Address | undefined,
    private readonly options: Required<RelayerOptions>,
  ) {}

  /** Asks who it is. One on another chain, or of other contracts, is refused: its vouchers would be worth nothing to it and it may be a trap. */
  static async connect(url: string, deployment: Deployment, options: RelayerOptions = {}): Promise<Relayer> {
    const all = { timeoutMs: 15_000, attempts: 3, fetch: globalThis.fetch.bind(globalThis), ...options };
    const base = url.replace(/\/+$/, '');
    const info = await new Relayer(base, deployment, undefined, all).request('/v1/info');
    const contracts = isObject(info['contracts']) ? info['contracts'] : {};
    const expected = { chain_id: deployment.chainId, channels: deployment.channels.address.toLowerCase(), streams: deployment.streams.address.toLowerCase() };
    const found = { chain_id: info['chain_id'], channels: text(contracts['channels'])?.toLowerCase(), streams: text(contracts['streams'])?.toLowerCase() };
    for (const key of Object.keys(expected) as (keyof typeof expected)[]) {
      if (expected[key] !== found[key]) throw new RivuletError('wrong_relayer', `${base}: ${key}: expected ${expected[key]}, given ${found[key]}: pay through another relayer`);
    }
    const key = isObject(info['relayer']) ? info['relayer']['acknowledgement_key'] : undefined;
    if (key !== null && (typeof key !== 'string' || !isAddress(key, { strict: false }))) throw new RivuletError('bad_answer', `${base}: acknowledgement_key is neither an address nor null`);
    return new Relayer(base, deployment, key === null ? undefined : getAddress(key), all);
  }

  /** Hands over a voucher. When this resolves, the relayer has it on its disk, and has signed for it if it has a key. */
  async send(voucher: SignedVoucher): Promise<Sent> {
    const answer = await this.request('/v1/vouchers', toJson(voucher));
    return { voucher, receipt: await this.receipt(voucher, answer['acknowledgement']) };
  }

  /** Hands over many. One that is refused stops no other: each has its own result, in order. */
  async sendAll(vouchers: readonly SignedVoucher[]): Promise<(Sent | Rejected)[]> {
    const query = this.acknowledgementKey === undefined ? '' : '?acknowledge=true';
    const { results } = await this.request(`/v1/vouchers/batch${query}`, vouchers.map(toJson));
    if (!Array.isArray(results) || results.length !== vouchers.length) throw new RivuletError('bad_answer', `${this.url}: expected ${vouchers.length} results`);
    return Promise.all(
      vouchers.map(async (voucher, i) => {
        const result: unknown = results[i];
        if (!isObject(result)) throw new RivuletError('bad_answer', `${this.url}: result ${i} is no object`);
        if (result['status'] === 'accepted') return { voucher, receipt: await this.receipt(voucher, result['acknowledgement']) };
        const problem = readProblem(result['problem']);
        if (problem === undefined) throw new RivuletError('bad_answer', `${this.url}: result ${i} is neither accepted nor a problem`);
        return new Rejected(problem);
      }),
    );
  }

  /** The best voucher that it has of a channel; undefined: none. Believe it by its signature: {@link PayChannel.resumeFrom}. */
  async best({ book, serial }: ChannelNumber): Promise<Best | undefined> {
    return readBest((await this.request(`/v1/channels/${book}/${serial}`))['best']);
  }

  private async receipt(voucher: SignedVoucher, given: unknown): Promise<Receipt | undefined> {
    const signer = this.acknowledgementKey;
    if (signer === undefined) return undefined;
    const refused = (why: string) => new RivuletError('not_acknowledged', `${this.url} took the voucher of ${voucher.cumulativeAmount} but ${why}`);
    if (!isObject(given) || !Number.isSafeInteger(given['accepted_at'])) throw refused('did not sign for it');
    const acceptedAt = BigInt(given['accepted_at'] as number);
    const signature = toCompact((text(given['signature']) ?? '0x') as Hex);
    const { number, channelId, cumulativeAmount } = voucher;
    const digest = acknowledgementDigest(channelsOf(this.deployment), channelId, cumulativeAmount, acceptedAt);
    if (signature === undefined || (await signerOf(digest, signature)) !== signer) throw refused(`what it signed is not by its key ${signer}`);
    return { number, channelId, cumulativeAmount, acceptedAt, signer, signature };
  }

  /** Every request here may be made twice: vouchers are totals. */
  private async request(path: string, body?: unknown): Promise<Json> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(path, body);
      } catch (error) {
        const again = error instanceof RivuletError && (error.code === 'unreachable' || (error instanceof Rejected && error.isRetryable));
        if (!again || attempt >= this.options.attempts) throw error;
        const secs = error instanceof Rejected ? (error.problem.retryAfterSecs ?? 0) : 0;
        await new Promise((resolve) => setTimeout(resolve, Math.max(secs * 1000, 200 * 2 ** attempt)));
      }
    }
  }

  private async once(path: string, body: unknown): Promise<Json> {
    const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    let status: number;
    let answer: string;
    try {
      const response = await this.options.fetch(`${this.url}${path}`, { ...init, redirect: 'error', signal: AbortSignal.timeout(this.options.timeoutMs) });
      [status, answer] = [response.status, await response.text()];
    } catch (error) {
      throw new RivuletError('unreachable', `${this.url} did not answer${body === undefined ? '' : ': it may have what was sent'}`, { cause: error });
    }
    const json = parse(answer);
    if (status >= 200 && status < 300 && isObject(json)) return json;
    const problem = readProblem(json);
    // A proxy in between answers in its own way.
    if (problem === undefined) throw new RivuletError('bad_answer', `${this.url}${path}: ${status}: ${answer.slice(0, 200)}`);
    throw new Rejected(problem);
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
