/**
 * The operator's moves as pure steps: each takes a status and gives the next one. `operator/contract/decide.ts`
 * chooses which; nothing else in the operator builds a status.
 */
import { invariant } from '../../lib/assert.ts';
import type { LiveContract } from './contract.ts';
import { failAttempt, gapAfter } from './failing.ts';
import { endOfAttempt, move, sameGrant, withAttempt, withHistory, withReady } from './move.ts';
import { ATTEMPT_DEADLINE_MS, HOUR_MS, OVERALL_DEADLINE_MS } from './numbers.ts';
import type { ContractPhase } from './phase.ts';
import { type Abandoned, type ContractStatus, HOLDERS_MAX, type Holder, type Lock } from './status.ts';

const OPERATOR = 'operator';

type Said = Readonly<{ reason: string; message: string; now: Date }>;

/** The first status: Requested, or Accepted when nothing has to be waited for. */
export function firstStatus({ to, ...said }: Said & { to: 'Requested' | 'Accepted' }): ContractStatus {
  const { now, reason, message } = said;
  const first: ContractStatus = { phase: to, reason, message, epoch: 0 };
  const status = to === 'Accepted' ? { ...first, provisionBy: deadline(now) } : first;
  return withHistory(withReady(status, now), { to, by: OPERATOR, reason, now });
}

export const accept = (status: ContractStatus, said: Said): ContractStatus => ({
  ...move(status, { to: 'Accepted', by: OPERATOR, ...said }),
  provisionBy: deadline(said.now),
});

/** A provider's retry of what failed: attempts and deadline start afresh, and no agent is barred any more. */
export function retry(
  status: ContractStatus,
  { retried, ...said }: Said & Readonly<{ retried: number }>,
): ContractStatus {
  const next = move(status, { to: 'Accepted', by: OPERATOR, epoch: 'Raise', ...said });
  const { nextAttemptAt, endsAt, pausedAt, graceEndsAt, ...rest } = newRound(next, said.now);
  return { ...rest, retried };
}

/** Earlier attempts stay on record and count no more. */
const newRound = (status: ContractStatus, now: Date): ContractStatus => ({
  ...status,
  provisionBy: deadline(now),
  failures: 0,
  capacityReleases: 0,
  attemptsFrom: status.epoch,
});

/** The lock ran out: Accepted again, epoch and holders stay, so that a late report still counts. */
export function expireLock(
  { status, metadata }: LiveContract,
  { now }: Readonly<{ now: Date }>,
): ContractStatus {
  const { lock } = status;
  invariant(lock, 'a contract in Provisioning has a lock');
  const attempt = endOfAttempt(lock, {
    outcome: 'Expired',
    message: `not heard since ${lock.renewedAt}`,
    now,
  });
  const failures = (status.failures ?? 0) + 1;
  const freed = move(withAttempt(status, attempt), {
    to: 'Accepted',
    by: OPERATOR,
    reason: 'LockExpired',
    message: `${lock.agent} was last heard at ${lock.renewedAt}; the contract is free again`,
    now,
  });
  // Anybody may take over at once; only the history of failures is remembered. docs/contract.md, 8.
  invariant(metadata.uid, 'a stored contract has a uid');
  return { ...freed, failures };
}

/** Seen reachable. `startsAt` is the first Active: waiting was free. */
export function activate(
  status: ContractStatus,
  { durationHours, ...said }: Said & { durationHours: number },
): ContractStatus {
  const active = move(status, { to: 'Active', by: OPERATOR, ...said });
  if (status.startsAt) return active;
  const endsAt = new Date(said.now.getTime() + durationHours * HOUR_MS).toISOString();
  return { ...active, startsAt: said.now.toISOString(), endsAt };
}

/** Nobody could reach the machine in time, or it is gone: the next attempt, with a new epoch. */
export function failVerification({ status, metadata }: LiveContract, said: Said): ContractStatus {
  const { instance, agent = 'unknown' } = status;
  invariant(instance, 'a contract in Provisioned has an instance');
  const grant = { agentUID: instance.agentUID, epoch: instance.epoch };
  const known = status.attempts?.find((entry) => sameGrant(entry, grant));
  return failAttempt(status, {
    attempt: {
      agent: known?.agent ?? agent,
      ...grant,
      startedAt: known?.startedAt ?? status.provisionedAt ?? said.now.toISOString(),
      endedAt: said.now.toISOString(),
      outcome: 'VerificationFailed',
      message: said.message,
    },
    by: OPERATOR,
    reason: said.reason,
    now: said.now,
    id: metadata.uid ?? '',
  });
}

/** The machine of an active contract is gone and its offering allows another one. */
export function recreate({ status, metadata }: LiveContract, said: Said): ContractStatus {
  const next = move(status, { to: 'Accepted', by: OPERATOR, epoch: 'Raise', ...said });
  const gapMs = gapAfter(1, metadata.uid ?? '') / 60;
  return {
    ...newRound(next, said.now),
    nextAttemptAt: new Date(said.now.getTime() + gapMs).toISOString(),
  };
}

/** Its machine is given up for another one elsewhere, at once: its agent is drained and its offering allows it. */
export const moveAway = (status: ContractStatus, said: Said): ContractStatus =>
  newRound(move(status, { to: 'Accepted', by: OPERATOR, epoch: 'Raise', ...said }), said.now);

/** Must be destroyed: the lock goes, the holders stay until each confirmed absence. */
export const terminate = (status: ContractStatus, said: Said): ContractStatus =>
  move(status, { to: 'Terminating', by: OPERATOR, ...said });

/**
 * So long is enough to build: who held it for longer has failed it, however often it renewed. By two clocks that may be
 * seconds apart, of minutes that nothing depends on: what is too late is fenced by its epoch.
 */
export const overdueInMs = ({ acquiredAt }: Lock, now: Date): number =>
  Math.max(0, Date.parse(acquiredAt) + ATTEMPT_DEADLINE_MS - now.getTime());

/** Beside the lock's own time: as far as the clocks of operator and facade may be apart, and more. */
const CLOCKS_APART_MS = 15_000;

/**
 * Somebody else is to try, while there is time; what was begun is superseded by the epoch, and destroyed. Not before the
 * lock would have run out: until then its holder may trust it and build, and two would build at a time.
 */
export function endAttempt(
  { status, metadata }: LiveContract,
  { now }: Readonly<{ now: Date }>,
): ContractStatus {
  const { lock } = status;
  invariant(lock, 'a contract in Provisioning has a lock');
  const next = failAttempt(status, {
    attempt: endOfAttempt(lock, {
      outcome: 'Expired',
      message: `not finished within ${ATTEMPT_DEADLINE_MS / 60_000} minutes`,
      now,
    }),
    by: OPERATOR,
    reason: 'AttemptTooLong',
    now,
    id: metadata.uid ?? '',
  });
  const ttlMs = Date.parse(lock.expiresAt) - Date.parse(lock.renewedAt);
  const silentAtMs = now.getTime() + ttlMs + CLOCKS_APART_MS;
  const nextMs = Math.max(silentAtMs, Date.parse(next.nextAttemptAt ?? lock.renewedAt));
  return { ...next, nextAttemptAt: new Date(nextMs).toISOString() };
}

/** The deadline of the contract, while it is built. Of who sat on it: three in a row open its breaker, as all failures do. */
export function outOfTime(status: ContractStatus, said: Said): ContractStatus {
  const { lock } = status;
  if (!lock || overdueInMs(lock, said.now) > 0) return terminate(status, said);
  const message = 'not finished by the deadline of the contract';
  const attempt = endOfAttempt(lock, { outcome: 'Expired', message, now: said.now });
  return terminate(withAttempt(status, attempt), said);
}

export type EndPhase = 'Rejected' | 'Cancelled' | 'Expired' | 'Failed';

export function end(status: ContractStatus, { to, ...said }: Said & { to: EndPhase }): ContractStatus {
  invariant((status.holders ?? []).length === 0, 'a contract ends only without holders');
  const ended = move(status, { to, by: OPERATOR, ...said });
  const now = said.now.toISOString();
  return ended.endsAt && ended.endsAt > now ? { ...ended, endsAt: now } : ended;
}

export type Abandonment = Readonly<{ holder: Holder }> &
  Pick<Abandoned, 'how' | 'by' | 'onBehalfOf' | 'reason'>;

/** Holders that never confirmed leave, and stay on record: who, when, why. Their debts were written first. */
export function abandon(
  status: ContractStatus,
  { gone, now }: Readonly<{ gone: readonly Abandonment[]; now: Date }>,
): ContractStatus {
  if (gone.length === 0) return status;
  const isGone = (entry: Pick<Holder, 'agentUID' | 'epoch'>): boolean =>
    gone.some(({ holder }) => sameGrant(entry, holder));
  const records = gone.map(({ holder, ...how }) => ({ ...holder, at: now.toISOString(), ...how }));
  const earlier = (status.abandoned ?? []).filter((entry) => !isGone(entry));
  return {
    ...status,
    holders: (status.holders ?? []).filter((entry) => !isGone(entry)),
    abandoned: [...earlier, ...records].slice(-HOLDERS_MAX),
  };
}

/** As what a terminating contract ends; a cancel wins over the others. */
export function endPhaseOf(reason: string | undefined, cancelled: boolean): Exclude<EndPhase, 'Rejected'> {
  // After a restore only the reason remembers a cancellation: the wish was lost with the later world.
  if (cancelled || reason?.startsWith('CancelledBy') || reason === 'Deleted') return 'Cancelled';
  return reason === 'DurationEnded' ? 'Expired' : 'Failed';
}

/** When a round of attempts that begins now is over. */
export const deadline = (now: Date): string => new Date(now.getTime() + OVERALL_DEADLINE_MS).toISOString();

/** Since when the contract has been in its phase; undefined before the first move. */
export const phaseSince = (status: ContractStatus, phase: ContractPhase): string | undefined =>
  status.history?.findLast((entry) => entry.to === phase)?.at;
