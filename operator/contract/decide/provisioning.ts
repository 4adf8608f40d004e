/** Provisioning: an agent builds. The operator alone declares that its lock ran out, by its own clock. */

import { mayRetry } from '../../../crds/contract/failing.ts';
import { failureMessage } from '../../../crds/contract/give-up.ts';
import type { Lock } from '../../../crds/contract/status.ts';
import { endAttempt, expireLock, outOfTime, overdueInMs, terminate } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { type Decision, decided, type LiveFacts, untilMs } from '../facts.ts';
import { settleDebts } from './debts.ts';

export function decideProvisioning(facts: LiveFacts): Decision {
  const { contract, hosts, lockSilentMs, now } = facts;
  const { status } = contract;
  const wish = endWish(contract);
  if (wish) return decided(terminate(status, { ...wish, now }));
  const deadlineMs = status.provisionBy ? untilMs(status.provisionBy, now) : Number.POSITIVE_INFINITY;
  if (deadlineMs === 0)
    return decided(
      outOfTime(status, {
        reason: 'DeadlineExceeded',
        message: failureMessage('DeadlineExceeded', status),
        now,
      }),
    );
  const leftMs = status.lock ? lockTtlMs(status.lock) - lockSilentMs : 0;
  if (leftMs <= 0) return decided(expireLock(contract, { now }), { requeueAfterMs: 0 });
  const overdueMs = status.lock ? overdueInMs(status.lock, now) : 0;
  if (overdueMs === 0 && hosts?.othersCanTry) {
    const ended = endAttempt(contract, { now });
    // It may go on where nobody would try after it.
    if (mayRetry(ended)) return decided(ended, { requeueAfterMs: 0 });
  }
  const looks = [leftMs, deadlineMs, ...(overdueMs > 0 ? [overdueMs] : [])];
  return settleDebts(facts, decided(status, { requeueAfterMs: Math.min(...looks) }));
}

/** Both instants are of one facade's clock, so their difference is a duration and compares no clocks. */
export const lockTtlMs = (lock: Lock): number => Date.parse(lock.expiresAt) - Date.parse(lock.renewedAt);
