/**
 * The lock: who may build. `claim` grants it in Accepted only, `renew` keeps it (`release.ts` gives it up). Every
 * grant raises the epoch and enters the agent into `holders`, because from then on it may have a machine of
 * that epoch. Pure: the caller brings the time and writes the verdict. Source: docs/contract.md, "The lock".
 */
import { FINALIZER } from '../group.ts';
import type { LockResponse } from '../wire/lock.ts';
import type { LiveContract } from './contract.ts';
import type { Eligibility } from './eligibility.ts';
import { floorOf, generationOf, nextEpoch } from './generation.ts';
import { endOfAttempt, isHolder, unscheduled, withAttempt, withHistory, withReady } from './move.ts';
import { isEnding } from './phase.ts';
import { destroy, epochAhead, staleEpoch } from './stale.ts';
import { type ContractStatus, HOLDERS_MAX, type Lock } from './status.ts';
import type { Claimant, Refusal, Verdict } from './verdict.ts';
import { endWish } from './wishes.ts';

export type LockAnswer = LockResponse;

type ClaimFacts = Readonly<{
  agent: Claimant;
  /** The epoch that the agent read in its work item: a late duplicate of its claim names an old one. */
  observedEpoch?: number | undefined;
  /** How often an older etcd was put back: every grant since then is above all earlier ones. */
  generation?: number | undefined;
  ttlSeconds: number;
  now: Date;
  eligible: Eligibility;
}>;

/** Asks for the lock. Granted once; asked again by the same session it is renewed (a lost reply). */
export function claim(contract: LiveContract, facts: ClaimFacts): Verdict<LockAnswer> {
  const { status, metadata } = contract;
  const { agent, observedEpoch, eligible } = facts;
  if (isEnding(status.phase)) {
    const held = status.holders?.some((entry) => entry.agentUID === agent.uid) ?? false;
    return held ? destroy(NO_LOCK) : notAvailable(`it is ${status.phase}`);
  }
  const wish = endWish(contract);
  if (wish) return notAvailable(`it is about to end (${wish.reason})`);
  if (status.phase === 'Provisioning' && status.lock)
    return claimLocked(contract, { ...facts, lock: status.lock });
  if (status.phase !== 'Accepted') return notAvailable(`it is ${status.phase}`);
  if (!metadata.finalizers?.includes(FINALIZER)) return notAvailable('the operator has not prepared it yet');
  if (observedEpoch !== undefined && observedEpoch !== status.epoch)
    return {
      outcome: 'Refused',
      code: 'StaleEpoch',
      message: `the claim names epoch ${observedEpoch}, the contract is at ${status.epoch}`,
      next: 'Forget this work item and poll again.',
      data: { ...NO_LOCK, then: 'Continue' },
      final: false,
    };
  if (!eligible.eligible)
    return {
      outcome: 'Refused',
      code: 'NotEligible',
      message: `${agent.name} may not claim it: ${eligible.message}`,
      next: 'Poll for other work.',
      data: { ...NO_LOCK, then: 'Continue' },
      final: false,
    };
  if (isFull(status)) return notAvailable(FULL);
  return grant(status, facts);
}

/** The first grant of its generation: the epoch that was read before it may have been any. */
const isFirst = ({ epoch }: Lock): boolean => epoch === floorOf(generationOf(epoch)) + 1;

/** Somebody holds the lock already: the caller itself, an earlier process of it, or another agent. */
function claimLocked(contract: LiveContract, facts: ClaimFacts & { lock: Lock }): Verdict<LockAnswer> {
  const { lock, agent, observedEpoch, now } = facts;
  const { status } = contract;
  if (lock.agentUID !== agent.uid) return held(lock);
  if (lock.session === (agent.session ?? '')) {
    const late = observedEpoch !== undefined && observedEpoch < lock.epoch - 1 && !isFirst(lock);
    return late ? held(lock) : extend(status, { lock, ttlSeconds: facts.ttlSeconds, now });
  }
  if (isFull(status)) return notAvailable(FULL);
  // A new process of the same agent. The old one may still be creating: it is fenced by a new epoch.
  const superseded = endOfAttempt(lock, {
    outcome: 'Released',
    message: 'superseded by a restart of the agent',
    now,
  });
  return grant(withAttempt(status, superseded), facts);
}

function grant(
  status: ContractStatus,
  { agent, generation = 0, ttlSeconds, now }: ClaimFacts,
): Verdict<LockAnswer> {
  const epoch = nextEpoch({ epoch: status.epoch, generation });
  const lock: Lock = {
    agent: agent.name,
    agentUID: agent.uid,
    session: agent.session ?? '',
    epoch,
    acquiredAt: now.toISOString(),
    renewedAt: now.toISOString(),
    expiresAt: expiry(now, ttlSeconds),
  };
  const { instance, access, endpoint, nextAttemptAt, ...rest } = unscheduled(status);
  const claimed: ContractStatus = {
    ...rest,
    phase: 'Provisioning',
    reason: 'Claimed',
    message: `Being built by ${agent.name}`,
    epoch,
    lock,
    holders: [...(status.holders ?? []), { agent: agent.name, agentUID: agent.uid, epoch }],
    agent: agent.name,
    pool: agent.poolName,
  };
  const next = withHistory(withReady(claimed, now), {
    from: status.phase,
    to: 'Provisioning',
    by: agent.name,
    reason: 'Claimed',
    now,
  });
  return { outcome: 'Write', status: next, answer: lockAnswer(lock, ttlSeconds) };
}

type RenewFacts = Readonly<{ agent: Claimant; epoch: number; ttlSeconds: number; now: Date }>;

/** Keeps the lock of `epoch`. After a mere expiry the answer is Continue without a lock. */
export function renew(
  { status }: LiveContract,
  { agent, epoch, ttlSeconds, now }: RenewFacts,
): Verdict<LockAnswer> {
  if (epoch > status.epoch) return epochAhead({ epoch, status, data: NO_LOCK });
  if (isEnding(status.phase)) return destroy(NO_LOCK);
  if (epoch < status.epoch || !isHolder(status, { agentUID: agent.uid, epoch }))
    return staleEpoch({ epoch, status, data: NO_LOCK });
  const { lock } = status;
  if (!lock) return { outcome: 'Answer', answer: { ...NO_LOCK, then: 'Continue' }, final: false };
  if (lock.session !== (agent.session ?? ''))
    return {
      outcome: 'Refused',
      code: 'SessionSuperseded',
      message: `epoch ${epoch} is held by another process of ${agent.name}`,
      next: 'Claim the contract anew; begin no step before.',
      data: { ...NO_LOCK, then: 'Continue' },
      final: false,
    };
  return extend(status, { lock, ttlSeconds, now });
}

function extend(
  status: ContractStatus,
  { lock, ttlSeconds, now }: Readonly<{ lock: Lock; ttlSeconds: number; now: Date }>,
): Verdict<LockAnswer> {
  const renewed: Lock = { ...lock, renewedAt: now.toISOString(), expiresAt: expiry(now, ttlSeconds) };
  return { outcome: 'Write', status: { ...status, lock: renewed }, answer: lockAnswer(renewed, ttlSeconds) };
}

export const NO_LOCK = { acquired: false, expiresAtNs: 0, then: 'Continue' } as const;

const lockAnswer = (lock: Lock, ttlSeconds: number): LockAnswer => ({
  acquired: true,
  epoch: lock.epoch,
  expiresAt: lock.expiresAt,
  expiresAtNs: Date.parse(lock.expiresAt) * 1_000_000,
  expiresInMs: ttlSeconds * 1000,
  then: 'Continue',
});

const expiry = (now: Date, ttlSeconds: number): string =>
  new Date(now.getTime() + ttlSeconds * 1000).toISOString();

function held(lock: Lock): Refusal {
  return {
    outcome: 'Refused',
    code: 'LockHeld',
    message: `${lock.agent} holds the lock until ${lock.expiresAt} (epoch ${lock.epoch})`,
    next: 'Poll for other work.',
    data: {
      acquired: false,
      expiresAtNs: Date.parse(lock.expiresAt) * 1_000_000,
      then: 'Continue',
      held: { agent: lock.agent, until: lock.expiresAt },
    },
    final: false,
  };
}

const FULL = `${HOLDERS_MAX} earlier grants are not confirmed absent`;
const isFull = ({ holders = [] }: ContractStatus): boolean => holders.length >= HOLDERS_MAX;

const notAvailable = (why: string): Refusal => ({
  outcome: 'Refused',
  code: 'LockNotAvailable',
  message: `the contract cannot be claimed: ${why}`,
  next: 'Poll for other work.',
  data: NO_LOCK,
  final: false,
});
