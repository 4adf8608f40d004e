/** Waits for something to become true, with a deadline and the reason of the last try in the failure. */
import type { Clock } from '../../lib/clock.ts';
import { Failure, messageOf } from '../failure.ts';

export type WaitOptions = Readonly<{
  /** Completes the sentence "… is not ready". */
  what: string;
  clock: Clock;
  signal: AbortSignal;
  timeoutMs: number;
  pollMs?: number;
  next?: string;
}>;

/**
 * Calls `probe` until it resolves, and answers its result. Throws `NotReadyInTime` with the last error, or the
 * signal's reason.
 */
export async function waitUntil<T>(probe: () => Promise<T>, options: WaitOptions): Promise<T> {
  const { what, clock, signal, timeoutMs, pollMs = 100, next } = options;
  const untilMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await probe();
    } catch (cause) {
      signal.throwIfAborted();
      if (clock.monotonicMs() >= untilMs)
        throw new Failure(
          'NotReadyInTime',
          `${what} is not ready after ${Math.round(timeoutMs / 1000)} s: ${messageOf(cause)}`,
          next === undefined ? { cause } : { next, cause },
        );
    }
    await clock.sleep(pollMs, { signal });
  }
}
