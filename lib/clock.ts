/**
 * The one source of time. Logic takes a `Clock`; only `main.ts` files pass `systemClock`, tests pass a
 * `FakeClock`. `now` is for people and for instants that are stored; `monotonicMs` is for measuring how long
 * something lasted: it never jumps when a machine's clock is corrected.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

export type Timer = Readonly<{ cancel: () => void }>;

export type Clock = Readonly<{
  /** Wall clock. */
  now: () => Date;
  /** Milliseconds since an arbitrary start; only differences mean anything. */
  monotonicMs: () => number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep: (ms: number, options?: { signal?: AbortSignal | undefined }) => Promise<void>;
  /** Calls `run` once after `ms`, unless cancelled. Does not keep the process alive. */
  after: (ms: number, run: () => void) => Timer;
}>;

/** Longest delay a Node timer takes; anything longer would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** What is over already is due now: Node would warn of a negative delay. */
const delayOf = (ms: number): number => Math.max(0, Math.min(ms, TIMER_MAX_MS));

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, { signal } = {}) => {
    try {
      await delay(delayOf(ms), undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  after: (ms, run) => {
    const handle = setTimeout(run, delayOf(ms));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
