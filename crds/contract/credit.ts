/**
 * Time that the provider took by pausing a rental, and owes: its clock stands still, and its end moves by as much.
 * While a pause goes on its end is at no instant, and none is kept: who asks is told the end if it went on now.
 * In the grace after its end the clock has run out, and nothing is credited. Pure.
 */
import type { ContractStatus } from './status.ts';

/** Does its clock stand still? */
export const standsStill = ({ phase, pausedAt, graceEndsAt }: ContractStatus): boolean =>
  phase === 'Paused' && pausedAt !== undefined && graceEndsAt === undefined;

/** All pauses together by `now`, one that goes on among them. Milliseconds, never fewer than before. */
export function creditedMs(status: ContractStatus, now: Date): number {
  const { pausedMs = 0, pausedAt } = status;
  if (pausedAt === undefined || !standsStill(status)) return pausedMs;
  return pausedMs + Math.max(0, now.getTime() - Date.parse(pausedAt));
}

/** A pause that ends now is added to those before; the caller moves it out of Paused with the same write. */
export const withPauseCredited = (status: ContractStatus, now: Date): ContractStatus =>
  standsStill(status) ? { ...status, pausedMs: creditedMs(status, now) } : status;
