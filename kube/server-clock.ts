/**
 * The API server's clock, as a process knows it from the `Date` of its answers: what all facades and the operator
 * write and compare instants by, so that it does not matter how far their own clocks are apart. A jump of the own clock is
 * not followed, because time goes on from the last known instant by the monotonic clock.
 */
import type { Clock } from '../lib/clock.ts';
import type { ClockSkew } from './clock-skew.ts';

/** The estimate gets closer with each answer: up to here a correction is taken at once. */
const STEP_MAX_MS = 2000;
/** A larger one that stays for so long is right: the API server's clock itself was corrected. */
const BELIEVED_AFTER_MS = 30_000;

/** `skew`: the API server's clock minus `clock`; undefined before its first answer. */
export function serverClock(clock: Clock, skew: () => Pick<ClockSkew, 'offsetMs'> | undefined): Clock {
  let anchor: { atMs: number; monotonicMs: number } | undefined;
  let doubtSinceMs: number | undefined;
  const nowMs = (): number => {
    const offsetMs = skew()?.offsetMs;
    const saidMs = clock.now().getTime() + (offsetMs ?? 0);
    if (offsetMs === undefined) return saidMs;
    const monotonicMs = clock.monotonicMs();
    const expectedMs = anchor && anchor.atMs + monotonicMs - anchor.monotonicMs;
    if (expectedMs !== undefined && Math.abs(saidMs - expectedMs) > STEP_MAX_MS) {
      doubtSinceMs ??= monotonicMs;
      if (monotonicMs - doubtSinceMs < BELIEVED_AFTER_MS) return expectedMs;
    }
    doubtSinceMs = undefined;
    anchor = { atMs: saidMs, monotonicMs };
    return saidMs;
  };
  return { ...clock, now: () => new Date(nowMs()) };
}
