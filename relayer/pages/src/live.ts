/** A payee's events as they happen; when the feed is gone, asking again and again. */

export type Liveness = 'live' | 'polling' | 'offline';

export interface Heard {
  accepted: { token: string; book: number; serial: number; growth: string; cumulative_amount: string; accepted_ms: number };
  claimed: { token: string; contract: 'channels' | 'streams'; book: number; block_number: number; at: number; claimed: string; fee: string; paid: string; rows: readonly unknown[] };
}

const POLL_MS = 4_000;
/** Also while the feed is there: another relayer on the same database says some of it to its own listeners alone. */
const CHECK_MS = 10_000;
const AGAIN_MS = 5_000;
/** A busy payee has hundreds of events a second: figures are added up at once, lists read again this often. */
const REST_MS = 1_000;

export class Live {
  private isLive = false;
  private last = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly payee: string,
    private readonly onEvent: <K extends keyof Heard>(name: K, data: Heard[K]) => void,
    private readonly refresh: () => Promise<void>,
    private readonly onState: (state: Liveness) => void,
  ) {
    this.listen();
    void this.now();
    setInterval(() => {
      if (!document.hidden && Date.now() - this.last > (this.isLive ? CHECK_MS : POLL_MS)) void this.now();
    }, 1_000);
  }

  private listen(): void {
    const source = new EventSource(`/v1/payees/${this.payee}/events`);
    source.onopen = () => {
      this.isLive = true;
      this.onState('live');
    };
    source.onerror = () => {
      this.isLive = false;
      this.onState('polling');
      // Refused, as when too many listen: the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), AGAIN_MS);
    };
    for (const name of ['accepted', 'claimed'] as const) {
      source.addEventListener(name, (event) => {
        this.onEvent(name, JSON.parse((event as MessageEvent<string>).data) as Heard[typeof name]);
        this.soon();
      });
    }
    source.addEventListener('reset', () => void this.now());
  }

  /** Reads everything again, at most once in a while. */
  private soon(): void {
    this.timer ??= setTimeout(() => void this.now(), Math.max(50, this.last + REST_MS - Date.now()));
  }

  private async now(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = Date.now();
    try {
      await this.refresh();
      if (!this.isLive) this.onState('polling');
    } catch {
      this.onState('offline');
    }
  }
}
