/** The sleep of a clock that has only timers: those of tests, whose time does not pass by itself. */
import type { Clock } from './clock.ts';

/** Rejects with the signal's reason when it is aborted first, and leaves neither timer nor listener behind. */
export const sleepBy =
  (after: Clock['after']): Clock['sleep'] =>
  (ms, { signal } = {}) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
