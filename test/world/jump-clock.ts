/** The real clock, until a test lets time pass: then everything that falls due meanwhile is due now. */
import { type Clock, systemClock, type Timer } from '../../lib/clock.ts';
import { sleepBy } from '../../lib/sleep-by.ts';

export type JumpClock = Clock & Readonly<{ jump: (ms: number) => void }>;

type Pending = { dueMs: number; run: () => void; timer: Timer | undefined };

export function jumpClock(): JumpClock {
  const pending = new Set<Pending>();
  let aheadMs = 0;
  const monotonicMs = (): number => systemClock.monotonicMs() + aheadMs;

  const arm = (entry: Pending): void => {
    entry.timer?.cancel();
    entry.timer = systemClock.after(entry.dueMs - monotonicMs(), () => {
      pending.delete(entry);
      entry.run();
    });
  };
  const after = (ms: number, run: () => void): Timer => {
    const entry: Pending = { dueMs: monotonicMs() + Math.max(0, ms), run, timer: undefined };
    pending.add(entry);
    arm(entry);
    return {
      cancel: () => {
        entry.timer?.cancel();
        pending.delete(entry);
      },
    };
  };

  return {
    now: () => new Date(systemClock.now().getTime() + aheadMs),
    monotonicMs,
    after,
    sleep: sleepBy(after),
    jump: (ms) => {
      aheadMs += ms;
      for (const entry of pending) arm(entry);
    },
  };
}
