/**
 * A clock that runs faster than the world while the machine keeps up, and waits for it when it does not: a slow
 * machine makes a test long, not wrong. Its time moves in ticks; a tick that comes late counts as one that came in
 * time, and while the API server owes somebody an answer for longer than usual, time nearly stands still.
 */
import { setInterval } from 'node:timers';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { sleepBy } from '../../../lib/sleep-by.ts';

export type PatientClock = Clock &
  Readonly<{
    /** Something real has begun; answers how to say that it is over. */
    begin: () => () => void;
    stop: () => void;
  }>;

/** Real milliseconds. */
const TICK_MS = 5;
const COUNTED_MAX_MS = 10;
const USUAL_MS = 40;
/** How slow time goes while an answer is owed. */
const WAITING_FACTOR = 0.05;

type Timer = { readonly atMs: number; readonly run: () => void };

export function patientClock(times: number): PatientClock {
  const startMs = systemClock.now().getTime();
  const underWay = new Set<Readonly<{ sinceMs: number }>>();
  let timers: Timer[] = [];
  let lastMs = systemClock.monotonicMs();
  let elapsedMs = 0;

  const tick = (): void => {
    const nowMs = systemClock.monotonicMs();
    const countedMs = Math.min(nowMs - lastMs, COUNTED_MAX_MS);
    lastMs = nowMs;
    const [oldest] = underWay; // in the order in which they began
    const isOwed = oldest !== undefined && nowMs - oldest.sinceMs > USUAL_MS;
    elapsedMs += countedMs * times * (isOwed ? WAITING_FACTOR : 1);
    while (timers[0] && timers[0].atMs <= elapsedMs) timers.shift()?.run();
  };
  const ticking = setInterval(tick, TICK_MS);
  ticking.unref();

  const after: Clock['after'] = (ms, run) => {
    const timer = { atMs: elapsedMs + Math.max(0, ms), run };
    const index = timers.findIndex(({ atMs }) => atMs > timer.atMs);
    timers = index < 0 ? [...timers, timer] : timers.toSpliced(index, 0, timer);
    return {
      cancel: () => {
        timers = timers.filter((one) => one !== timer);
      },
    };
  };
  return {
    now: () => new Date(startMs + elapsedMs),
    monotonicMs: () => elapsedMs,
    after,
    sleep: sleepBy(after),
    begin: () => {
      const work = { sinceMs: systemClock.monotonicMs() };
      underWay.add(work);
      return () => void underWay.delete(work);
    },
    stop: () => {
      clearInterval(ticking);
      for (const timer of timers.splice(0)) timer.run(); // whoever still waits shall end, not hang
    },
  };
}
