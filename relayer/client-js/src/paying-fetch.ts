import type { Hex } from 'viem';
import { RivuletError } from './errors.js';
import type { PayChannel } from './pay-channel.js';
import { type Bought, type Offer, type Settled, SCHEME, buy, checkRedirect, checkRequest, choose, finish, fromHeader, lose, payload, raise, readOffer, readSettled, refuse, settle, stateOf } from './purchases.js';
import type { Purse } from './purse.js';
import { Rejected, readProblem } from './relayer.js';

/** What was paid for a request. */
export interface Paid {
  readonly url: string;
  readonly channel: PayChannel;
  /** What was charged when the answer began, in the token's smallest unit; 0: it had been paid. By byte and by second, more follows. */
  readonly amount: bigint;
  /** False: the site had nothing to serve, and charged nothing. */
  readonly isServed: boolean;
  /** The payer's name for the purchase: the creator can refund it by this. */
  readonly purchase: Hex;
}

export interface PayingFetchOptions {
  /** Of prices by byte or second: how many steps are signed for at a time. More of them mean fewer requests to raise the purchase, and more at risk. Default: 1. */
  readonly steps?: number;
  /** Told of every paid answer. */
  readonly onPaid?: (paid: Paid) => void;
  /** Another `fetch`. */
  readonly fetch?: typeof fetch;
}

/** How often one request is paid for, when a site knows more of the channel than we do. */
const ATTEMPTS = 3;
/** A channel that was opened just now is final before every relayer has seen it. */
const UNSEEN_PAUSES_MS = [300, 700, 1_500, 3_000];
const RAISES = 3;
const RAISE_PAUSE_MS = 300;
const RAISE_AHEAD_MS = 2_000;

function offersOf(answer: Response): { offers: readonly Offer[]; error: string | undefined } {
  const header = answer.status === 402 ? answer.headers.get('PAYMENT-REQUIRED') : null;
  const required = header === null ? {} : (fromHeader('PAYMENT-REQUIRED', header) as { accepts?: unknown; error?: unknown });
  const offers = (Array.isArray(required?.accepts) ? required.accepts : []).map(readOffer).filter((offer) => offer !== undefined);
  return { offers, error: typeof required?.error === 'string' ? required.error : undefined };
}

const headerOf = (purse: Purse, offer: Offer, bought: Bought): string =>
  btoa(JSON.stringify({ x402Version: 2, accepted: { scheme: SCHEME, network: offer.network, asset: offer.asset }, payload: payload(purse, bought) }));

function settledOf(answer: Response): Settled | undefined {
  const header = answer.headers.get('PAYMENT-RESPONSE');
  return header === null ? undefined : readSettled(fromHeader('PAYMENT-RESPONSE', header));
}

/** An answer under way that is paid by step: raises the purchase while somebody reads. */
class Meter {
  private got = 0;
  private raising: Promise<void> | undefined;
  /** Why it was not raised. */
  why: unknown;
  private readonly begunMs = performance.now();
  /** How long the answer is, if that is known. */
  private readonly length: number;

  constructor(
    private readonly inner: typeof fetch,
    private readonly purse: Purse,
    private readonly offer: Offer,
    private bought: Bought,
    private readonly steps: bigint,
    private readonly answer: Response,
  ) {
    const length = Number(answer.headers.get('content-length') ?? Infinity);
    // Of what is compressed, only the bytes on the way are counted by the paywall, and they are not seen here.
    this.length = Number.isFinite(length) && length > 0 ? length : Infinity;
  }

  /** Steps that are signed for. */
  private get paid(): number {
    return Number(this.bought.purchase.amount / this.offer.amount);
  }

  private get elapsedMs(): number {
    return performance.now() - this.begunMs;
  }

  /** All that it has cost, as far as can be seen here. */
  get cost(): bigint {
    const { unit, amount } = this.offer;
    if (unit === 'request') return this.bought.purchase.amount;
    const used = 'bytes' in unit ? this.got / unit.bytes : this.elapsedMs / 1_000 / unit.secs;
    return BigInt(Math.max(1, Math.ceil(used))) * amount;
  }

  /** Reads on, and pays on while it waits. */
  async read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReadableStreamReadResult<Uint8Array>> {
    const { unit } = this.offer;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    // Looked at again after each raise, as long as the read waits: what it brought may have come before its answer.
    const watch = (): void => {
      if (isOver || this.why !== undefined || unit === 'request') return;
      if ('secs' in unit) {
        const aheadMs = Math.min(RAISE_AHEAD_MS, unit.secs * 500);
        timer = setTimeout(() => void this.more().then(watch), Math.max(0, this.paid * unit.secs * 1_000 - aheadMs - this.elapsedMs));
      } else if (this.got >= (this.paid - 0.5) * unit.bytes && this.length > this.paid * unit.bytes) {
        // From the middle of the last step on: the next one is signed for before it is due.
        void this.more().then(watch);
      }
    };
    watch();
    try {
      const result = await reader.read();
      this.got += result.value?.length ?? 0;
      return result;
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  /** Raises it once at a time; never fails. */
  private more(): Promise<void> {
    if (this.why !== undefined) return Promise.resolve();
    return (this.raising ??= this.raise().then(
      () => void (this.raising = undefined),
      // What is paid for comes nevertheless; then the site breaks off, and this is why.
      (error: unknown) => void (this.why = error),
    ));
  }

  private async raise(): Promise<void> {
    const now = this.offer.now + Math.floor(this.elapsedMs / 1_000);
    const room = this.purse.limits.perPayment;
    const left = room === undefined ? this.steps : (room - this.bought.purchase.amount) / this.offer.amount;
    // At least one is asked for: that it is too dear is then said.
    const steps = left < 1n ? 1n : left < this.steps ? left : this.steps;
    this.bought = await raise(this.purse, this.offer, this.bought.purchase, steps * this.offer.amount, now);
    const headers = { 'PAYMENT-SIGNATURE': headerOf(this.purse, this.offer, this.bought), accept: 'application/json' };
    const url = new URL('/.well-known/rivulet/pay', this.answer.url);
    for (let attempt = 1; ; attempt += 1) {
      const raised = await this.inner(url, { method: 'POST', headers, redirect: 'error' }).catch((cause: unknown) => new RivuletError('unreachable', `${url} did not answer`, { cause }));
      if (raised instanceof Response && raised.ok) return;
      const problem = raised instanceof Response ? readProblem(await raised.json().catch(() => undefined)) : undefined;
      const error = problem === undefined ? (raised instanceof Response ? new RivuletError('bad_answer', `${url}: ${raised.status}`) : raised) : new Rejected(problem);
      // The same again: its nonce and total are kept.
      if (attempt >= RAISES || (error instanceof Rejected && !error.isRetryable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RAISE_PAUSE_MS * attempt));
    }
  }
}

/** The same answer, whose purchase is kept until all of it is here. */
function whole(answer: Response, meter: Meter, end: (isWhole: boolean) => Promise<void>): Response {
  const reader = answer.body!.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await meter.read(reader);
          if (!done) return controller.enqueue(value);
        } catch (error) {
          await end(false);
          return controller.error(meter.why ?? error);
        }
        await end(true);
        controller.close();
      },
      async cancel(reason) {
        await reader.cancel(reason);
        await end(true);
      },
    },
    // Nothing is read that nobody has asked for: by second, that would be paid for.
    { highWaterMark: 0 },
  );
  const { status, statusText, headers, url, redirected } = answer;
  const same = new Response(body, { status, statusText, headers });
  return Object.defineProperties(same, { url: { value: url }, redirected: { value: redirected } });
}

/**
 * A `fetch` that pays. What costs nothing, or is paid in another way than by channels, it passes on as it is.
 *
 * On a 402 it signs for exactly the request that was made, from the first channel to that payee in that token, and asks again. When an answer is lost, the same
 * request again costs nothing more: the purchase is in the channel's store, as its totals are. What a site did not serve, or gave back, is credit, and spent first.
 * A site that knows of a higher total is believed by our own signature alone.
 *
 * A page that costs something is asked for where redirects led, if that is the same site. The paid request itself follows none, as its payment would go along: a
 * redirect is the answer then, as with `redirect: 'manual'`, for the caller to follow. In browsers, which hide where it leads, `redirected` is thrown instead.
 *
 * Each channel needs the limit `perPayment`, for nobody is asked. Throws, beside what `fetch` throws, {@link RivuletError}: `no_channel`, `wrong_contract`,
 * `not_this_request`, `over_limit`, `not_covered`, `not_ours`, `storage`, `bad_answer`: nothing more was signed; `redirected`: it was paid; {@link Rejected}: the site did not take the payment.
 *
 * Prices by byte and by second are paid on while the answer is read: it must be read to its end, or cancelled. When the limit is reached, or the site takes no more,
 * the answer breaks off with the reason; go on with a `Range`.
 */
export function payingFetch(channels: PayChannel | readonly PayChannel[], options: PayingFetchOptions = {}): typeof fetch {
  const all = [channels].flat() as PayChannel[];
  const inner = options.fetch ?? globalThis.fetch.bind(globalThis);
  const { steps = 1, onPaid } = options;
  if (!Number.isSafeInteger(steps) || steps < 1) throw new RivuletError('bad_input', `steps: expected a whole number from 1, given ${steps}`);
  for (const { purse } of all) {
    if (purse.limits.perPayment === undefined) throw new RivuletError('bad_input', `${purse.name}: a fetch that pays asks nobody: give PayChannel a limit \`perPayment\``);
  }

  return async (input, init) => {
    const asked = new Request(input, init);
    const first = await inner(asked.clone());
    let [answer, already] = [first, 0n];
    let before: { pay: PayChannel; bought: Bought } | undefined;
    let unseen = 0;
    for (let attempt = 1; ; attempt += 1) {
      const { offers, error } = offersOf(answer);
      if (offers.length === 0) return answer;
      await answer.body?.cancel();
      const url = answer.url || asked.url;
      // A redirect to another host is a request that nobody made.
      checkRequest(offers, asked.method, new URL(url).origin === new URL(asked.url).origin ? url : asked.url);
      const { offer, channel } = choose(offers, (before === undefined ? all : [before.pay]).map((one) => ({ ...one.state, pay: one })));
      const { pay } = channel;
      const { purse } = pay;
      if (before !== undefined) {
        const state = stateOf(purse, ...offers.map(({ state }) => state));
        const { purchase, added } = before.bought;
        already += added - (await refuse(purse, purchase.nonce, state, added));
        // It had been served so often, or somebody else with our key spent what we took for ours.
        const isAgain = attempt - unseen <= ATTEMPTS && (error === 'used_up' || (error === 'not_enough' && state !== undefined));
        const pauseMs = error === 'unknown_channel' ? UNSEEN_PAUSES_MS[unseen] : undefined;
        if (pauseMs !== undefined) {
          unseen += 1;
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
        } else if (!isAgain) throw new Rejected({ status: 402, code: error ?? 'payment_required', detail: `${url} did not take the payment` });
      }
      const bought = await buy(purse, offer, { steps: BigInt(steps), already });
      // What pays is for the request that was priced, and for whoever answers it: it goes nowhere else.
      const paying = new Request(url === asked.url ? asked.clone() : new Request(url, asked.clone()), { redirect: 'manual' });
      paying.headers.set('PAYMENT-SIGNATURE', headerOf(purse, offer, bought));
      answer = await inner(paying).catch(async (error: unknown) => {
        await lose(purse, bought.purchase.nonce);
        throw error;
      });
      before = { pay, bought };
      if (answer.status === 402) continue;
      const { nonce } = bought.purchase;
      const settled = settledOf(answer);
      if (settled !== undefined) {
        await settle(purse, nonce, settled);
        onPaid?.({ url, channel: pay, amount: settled.amount, isServed: settled.isServed, purchase: nonce });
      }
      checkRedirect(answer, url, asked.redirect);
      if (settled?.isServed !== true) return answer;
      const isWhole = offer.unit === 'request';
      if (answer.body === null) {
        await finish(purse, nonce);
        return answer;
      }
      const meter = new Meter(inner, purse, offer, bought, BigInt(steps), answer);
      // What is paid by step cannot be had again for nothing: its rest is credit, whatever came.
      return whole(answer, meter, async (isAll) => (isAll || !isWhole ? finish(purse, nonce, isWhole ? 0n : meter.cost) : undefined));
    }
  };
}
