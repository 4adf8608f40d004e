/** Provisioning: an agent builds. The operator alone declares that its lock ran out, by its own clock. */

import { failureMessage } from '../../../crds/contract/give-up.ts';
import type { Lock } from '../../../crds/contract/status.ts';
import { expireLock, outOfTime, terminate } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { type Decision, decided, type LiveFacts, untilMs } from '../facts.ts';
import { settleDebts } from './debts.ts';

export function decideProvisioning(facts: LiveFacts): Decision {
  const { contract, lockSilentMs, now } = facts;
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
  return settleDebts(facts, decided(status, { requeueAfterMs: Math.min(leftMs, deadlineMs) }));
}

/** Both instants are of one facade's clock, so their difference is a duration and compares no clocks. */
export const lockTtlMs = (lock: Lock): number => Date.parse(lock.expiresAt) - Date.parse(lock.renewedAt);
