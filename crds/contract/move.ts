/**
 * Builds the next status of a contract. Every write of a phase goes through here, so that what belongs to a
 * move is never forgotten: the history entry, the lock that lives only in Provisioning, the epoch that every
 * move to Accepted but an expiry raises, the instance that an ended contract no longer has.
 */
import { invariant } from '../../lib/assert.ts';
import { withCondition } from '../condition.ts';
import { type ContractPhase, hasEnded, illegalMoveMessage, isLegalMove } from './phase.ts';
import {
  ATTEMPTS_KEPT,
  type Attempt,
  type ContractStatus,
  HISTORY_MAX,
  type Holder,
  type Lock,
} from './status.ts';

export type MoveInput = Readonly<{
  to: ContractPhase;
  by: string;
  reason: string;
  message: string;
  now: Date;
  /** Raise: reports of the epoch so far become stale. Only an expiry keeps it on the way to Accepted. */
  epoch?: 'Raise' | 'Keep';
}>;

/** The status after the move. Throws when the table of moves forbids it: a broken rule, not bad input. */
export function move(status: ContractStatus, input: MoveInput): ContractStatus {
  const { to, by, reason, message, now, epoch = 'Keep' } = input;
  invariant(isLegalMove(status.phase, to), illegalMoveMessage(status.phase, to));
  const { lock, instance, access, endpoint, applied, credentials, ...rest } = status;
  const built = instance === undefined ? {} : { instance };
  const reached = {
    ...(access === undefined ? {} : { access }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(applied === undefined ? {} : { applied }),
    ...(credentials === undefined ? {} : { credentials }),
  };
  const forgetsMachine = hasEnded(to) || (to === 'Accepted' && epoch === 'Raise');
  const next: ContractStatus = {
    ...rest,
    ...(forgetsMachine ? {} : { ...built, ...reached }),
    ...(to === 'Provisioning' && lock !== undefined ? { lock } : {}),
    phase: to,
    reason,
    message,
    epoch: epoch === 'Raise' ? status.epoch + 1 : status.epoch,
  };
  if (to === 'Accepted') {
    delete next.agent;
    delete next.pool;
    delete next.provisionedAt;
  }
  if (to !== 'Accepted') delete next.nextAttemptAt;
  return withHistory(withReady(unscheduled(next), now), { from: status.phase, to, by, reason, now });
}

/** What was said of a wait for an agent ends with it. */
export function unscheduled({ scheduling: _over, ...status }: ContractStatus): ContractStatus {
  const conditions = status.conditions?.filter(({ type }) => type !== 'Schedulable');
  return conditions ? { ...status, conditions } : status;
}

/**
 * The summary conditions, part of every move, so that they cost no write. Ready is True while the tenant can log
 * in; Stalled is True once nothing will bring that about any more, which GitOps tools (kstatus) call failed.
 */
export function withReady(status: ContractStatus, now: Date): ContractStatus {
  const { phase, reason = phase, message = '' } = status;
  const ready = { type: 'Ready', status: phase === 'Active' ? 'True' : 'False', reason, message } as const;
  const conditions = withCondition(status.conditions, { next: ready, now });
  const isKnown = conditions.some(({ type }) => type === 'Stalled');
  if (!hasEnded(phase) && !isKnown) return { ...status, conditions };
  const stalled = { ...ready, type: 'Stalled', status: hasEnded(phase) ? 'True' : 'False' } as const;
  return { ...status, conditions: withCondition(conditions, { next: stalled, now }) };
}

/** The same status with one more entry in its history; the oldest goes when it is full. */
export function withHistory(
  status: ContractStatus,
  entry: Readonly<{ from?: ContractPhase; to: ContractPhase; by: string; reason: string; now: Date }>,
): ContractStatus {
  const { from, to, by, reason, now } = entry;
  const seq = (status.history?.at(-1)?.seq ?? 0) + 1;
  const line = { seq, at: now.toISOString(), ...(from === undefined ? {} : { from }), to, by, reason };
  return { ...status, history: [...(status.history ?? []), line].slice(-HISTORY_MAX) };
}

type AttemptEnd = Readonly<Pick<Attempt, 'outcome' | 'message' | 'class'> & { now: Date }>;

/** The entry of an attempt that a lock was granted for. */
export const endOfAttempt = (lock: Lock, { now, ...end }: AttemptEnd): Attempt => ({
  agent: lock.agent,
  agentUID: lock.agentUID,
  epoch: lock.epoch,
  startedAt: lock.acquiredAt,
  endedAt: now.toISOString(),
  ...end,
});

/** Adds the end of an attempt; an attempt of the same (agent, epoch) is never entered twice. */
export function withAttempt(status: ContractStatus, attempt: Attempt): ContractStatus {
  const others = (status.attempts ?? []).filter((entry) => !sameGrant(entry, attempt));
  return { ...status, attempts: [...others, attempt].slice(-ATTEMPTS_KEPT) };
}

export const withoutHolder = (
  status: ContractStatus,
  gone: Pick<Holder, 'agentUID' | 'epoch'>,
): ContractStatus => ({
  ...status,
  holders: (status.holders ?? []).filter((entry) => !sameGrant(entry, gone)),
});

type Grant = Readonly<{ agentUID: string; epoch: number }>;
export const sameGrant = (a: Grant, b: Grant): boolean => a.agentUID === b.agentUID && a.epoch === b.epoch;

export const isHolder = (status: ContractStatus, grant: Grant): boolean =>
  status.holders?.some((entry) => sameGrant(entry, grant)) ?? false;
