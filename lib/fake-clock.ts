/**
 * A clock that stands still until a test moves it. `advance` fires due timers in order and lets the promises
 * they resolve run before it goes on, so a chain of sleeps plays out as it would in real time.
 */
import type { Clock, Timer } from './clock.ts';
import { sleepBy } from './sleep-by.ts';

type Pending = { atMs: number; order: number; run: () => void };

export type FakeClock = Clock &
  Readonly<{
    /** Moves both clocks forward and runs what falls due on the way. */
    advance: (ms: number) => Promise<void>;
    /** Moves only the wall clock, as a correction by NTP does. */
    jumpWallClock: (ms: number) => void;
    /** How many timers and sleeps are waiting. */
    pending: () => number;
  }>;

export function fakeClock(startAt = '2026-01-01T00:00:00.000Z'): FakeClock {
  let wallMs = Date.parse(startAt);
  let monotonic = 0;
  let order = 0;
  const waiting = new Set<Pending>();

  const after = (ms: number, run: () => void): Timer => {
    const entry: Pending = { atMs: monotonic + Math.max(0, ms), order: order++, run };
    waiting.add(entry);
    return { cancel: () => void waiting.delete(entry) };
  };
  const nextDue = (untilMs: number): Pending | undefined =>
    [...waiting]
      .filter((entry) => entry.atMs <= untilMs)
      .sort((a, b) => a.atMs - b.atMs || a.order - b.order)
      .at(0);
  const moveTo = (ms: number): void => {
    wallMs += ms - monotonic;
    monotonic = ms;
  };

  return {
    now: () => new Date(wallMs),
    monotonicMs: () => monotonic,
    after,
    sleep: sleepBy(after),
    advance: async (ms) => {
      const target = monotonic + ms;
      await settle();
      for (let due = nextDue(target); due; due = nextDue(target)) {
        waiting.delete(due);
        moveTo(Math.max(monotonic, due.atMs));
        due.run();
        await settle();
      }
      moveTo(target);
    },
    jumpWallClock: (ms) => {
      wallMs += ms;
    },
    pending: () => waiting.size,
  };
}

/** Two turns of the event loop: enough for promise chains that a timer started. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
