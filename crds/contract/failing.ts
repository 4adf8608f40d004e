/**
 * The end of an attempt that failed: counted, classified, and the next one not before its gap. Failures and
 * expiries count against the limit; "no room" has a limit of its own. docs/contract.md, "Numbers".
 */
import type { z } from 'zod';
import type { FailedResponse } from '../wire/reports.ts';
import { configurationRefusers } from './failed-before.ts';
import { move, withAttempt } from './move.ts';
import {
  ATTEMPT_GAPS_MS,
  ATTEMPTS_MAX,
  CAPACITY_GAP_MS,
  CAPACITY_RELEASES_MAX,
  CONFIGURATION_REFUSERS_MAX,
} from './numbers.ts';
import type { Attempt, ContractStatus } from './status.ts';

export type FailedAnswer = z.infer<typeof FailedResponse>;

type AttemptFailure = Readonly<{ attempt: Attempt; by: string; reason: string; now: Date; id: string }>;

/** → Accepted with a raised epoch, the attempt counted, and the next one not before its gap. */
export function failAttempt(
  status: ContractStatus,
  { attempt, by, reason, now, id }: AttemptFailure,
): ContractStatus {
  const forRoom = attempt.class === 'capacity';
  const failures = (status.failures ?? 0) + (forRoom ? 0 : 1);
  const gapMs = forRoom ? CAPACITY_GAP_MS : gapAfter(failures, `${id}/${attempt.epoch}`);
  const message = forRoom
    ? 'There was no room for it; another machine is looked for'
    : `Try ${failures} of ${ATTEMPTS_MAX} failed`;
  const next = move(withAttempt(status, attempt), {
    to: 'Accepted',
    by,
    reason,
    message,
    now,
    epoch: 'Raise',
  });
  return {
    ...next,
    failures,
    ...(forRoom ? { capacityReleases: (status.capacityReleases ?? 0) + 1 } : {}),
    nextAttemptAt: new Date(now.getTime() + gapMs).toISOString(),
  };
}

/** The gap before the next attempt, spread by ± 10 % through a hash, so that deciding twice gives the same. */
export function gapAfter(failures: number, seed: string): number {
  const plain = ATTEMPT_GAPS_MS[Math.min(failures, ATTEMPT_GAPS_MS.length) - 1] ?? ATTEMPT_GAPS_MS[0];
  let hash = 0;
  for (const character of seed) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return Math.round(plain * (0.9 + 0.2 * (hash / 2 ** 32)));
}

/** Another attempt will be made, and there is time for it. */
export const mayRetry = (status: ContractStatus): boolean =>
  (status.failures ?? 0) < ATTEMPTS_MAX &&
  (status.capacityReleases ?? 0) < CAPACITY_RELEASES_MAX &&
  configurationRefusers(status).length < CONFIGURATION_REFUSERS_MAX &&
  (!status.provisionBy || !status.nextAttemptAt || status.nextAttemptAt < status.provisionBy);

export const retryAnswer = (
  status: ContractStatus,
  { epoch }: Readonly<{ epoch: number }>,
): FailedAnswer => ({
  willRetry: mayRetry(status),
  ...(status.nextAttemptAt ? { notBefore: status.nextAttemptAt } : {}),
  then: epoch < status.epoch ? 'Destroy' : 'Continue',
});
