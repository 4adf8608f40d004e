/** A clock that runs so many times faster than the world: waits of minutes pass in a test, in their true order. */
import { type Clock, systemClock } from '../../lib/clock.ts';

export function hurriedClock(times: number): Clock {
  const startMs = systemClock.now().getTime();
  const originMs = systemClock.monotonicMs();
  const elapsedMs = (): number => (systemClock.monotonicMs() - originMs) * times;
  return {
    now: () => new Date(startMs + elapsedMs()),
    monotonicMs: elapsedMs,
    sleep: (ms, options) => systemClock.sleep(ms / times, options),
    after: (ms, run) => systemClock.after(ms / times, run),
  };
}
