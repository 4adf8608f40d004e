/** A sleep that can be ended: `ring` ends the present one, or the next one before it begins. */
import type { Clock } from '../../lib/clock.ts';

export type Alarm = Readonly<{
  ring: () => void;
  /** Resolves after `ms`, at a ring, or when `signal` is aborted; never rejects. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}>;

export function createAlarm(clock: Clock): Alarm {
  let bell = new AbortController();
  return {
    ring: () => bell.abort(new Error('woken')),
    sleep: async (ms, signal) => {
      await clock.sleep(ms, { signal: AbortSignal.any([bell.signal, signal]) }).catch(() => undefined);
      if (bell.signal.aborted) bell = new AbortController();
    },
  };
}
