import { type Live, liveAt } from './flow.js';
import type { StreamNumber, StreamState, Streams } from './streams.js';

export interface TickOptions {
  /** Milliseconds between two figures. */
  readonly everyMs?: number;
  /** Milliseconds between two questions to the chain. */
  readonly refreshMs?: number;
  /** Told when the chain did not answer; ticking goes on from what it said last. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Calls with a stream's figures every second, computed here; asks the chain only now and then. The chain's clock is not this machine's: seconds are counted from
 * its last final block. Undefined: its record is gone, and ticking stops. Returns what stops it.
 */
export function tick(streams: Streams, number: StreamNumber, onTick: (live: Live | undefined, state: StreamState | undefined) => void, options: TickOptions = {}): () => void {
  const { everyMs = 1_000, refreshMs = 15_000, onError = () => undefined } = options;
  let known: { state: StreamState; readMs: number } | undefined;
  let isStopped = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  let refresher: ReturnType<typeof setTimeout> | undefined;

  const stop = () => {
    isStopped = true;
    clearInterval(timer);
    clearTimeout(refresher);
  };
  const show = () => {
    if (known === undefined) return;
    const secs = Math.floor((performance.now() - known.readMs) / 1_000);
    onTick(liveAt(known.state, known.state.at + BigInt(secs)), known.state);
  };
  const refresh = async () => {
    try {
      const state = await streams.read(number);
      if (isStopped) return;
      if (state === undefined) {
        stop();
        return onTick(undefined, undefined);
      }
      known = { state, readMs: performance.now() };
      show();
      timer ??= setInterval(show, everyMs);
    } catch (error) {
      if (!isStopped) onError(error);
    }
    if (!isStopped) refresher = setTimeout(() => void refresh(), refreshMs);
  };
  void refresh();
  return stop;
}
