/**
 * Reports of agents: provisioned, failed, terminated. A report counts when its agent is in `holders` with that
 * epoch and the epoch is the contract's; after a mere expiry that still holds until the next grant, so finished
 * work is not thrown away. Repeats get the first answer; anything else changes nothing. docs/contract.md, 5–7.
 */
import type { z } from 'zod';
import type { Then } from '../wire/agent-fields.ts';
import type { InstanceDetails, TerminatedResponse } from '../wire/reports.ts';
import type { LiveContract } from './contract.ts';
import { type FailedAnswer, failAttempt, retryAnswer } from './failing.ts';
import { endOfAttempt, isHolder, move, sameGrant, withAttempt, withoutHolder } from './move.ts';
import { isEnding } from './phase.ts';
import { release } from './release.ts';
import { sshKeysSHA256 as hashOfKeys } from './ssh-keys.ts';
import { destroy, epochAhead, staleEpoch } from './stale.ts';
import type { Access, Applied, ATTEMPT_CLASSES, ContractStatus, Instance } from './status.ts';
import type { Claimant, Verdict } from './verdict.ts';

export type ReportAnswer = Readonly<{ then: Then }>;
export type TerminatedAnswer = z.infer<typeof TerminatedResponse>;

type ProvisionedFacts = Readonly<{
  agent: Claimant;
  epoch?: number | undefined;
  details: InstanceDetails;
  /** Of the keys that it was built with; absent: of those that were listed. */
  sshKeysSHA256?: string | undefined;
  now: Date;
}>;

/** A machine is there: Provisioning (or Accepted, after a mere expiry) → Provisioned. */
export function reportProvisioned(contract: LiveContract, facts: ProvisionedFacts): Verdict<ReportAnswer> {
  const { status } = contract;
  const { agent, details, now } = facts;
  const epoch = facts.epoch ?? impliedEpoch(status, agent);
  const standing = judgeStanding(status, { agent, epoch });
  if (standing) return standing;
  const instance: Instance = { agentUID: agent.uid, epoch, externalId: details.externalId };
  if (status.phase === 'Accepted' || status.phase === 'Provisioning') {
    const next = move(closeAttempt(status, { agent, epoch, now }), {
      to: 'Provisioned',
      by: agent.name,
      reason: 'Provisioned',
      message: 'The machine is there; it is checked before you get it',
      now,
    });
    const provisioned = {
      ...next,
      instance,
      agent: agent.name,
      pool: agent.poolName,
      provisionedAt: now.toISOString(),
      applied: freshlyApplied(contract, facts),
    };
    return {
      outcome: 'Write',
      status: { ...provisioned, ...accessOf(details) },
      answer: { then: 'Continue' },
    };
  }
  return repeatedReport(status, { instance, details, phase: status.phase });
}

/** A new machine is as it was wished up to now: nothing that was asked of the one before is owed by it. */
function freshlyApplied({ spec }: LiveContract, facts: ProvisionedFacts): Applied {
  // Who asks for its work hears of other keys later on, also when it does not say which it used; the reference agent
  // does not ask, and its keys are not compared.
  const listed = facts.agent.session ? hashOfKeys(spec.sshPublicKeys) : undefined;
  const sshKeysSHA256 = facts.sshKeysSHA256 ?? listed;
  return {
    ...(spec.restart > 0 ? { restart: spec.restart } : {}),
    ...(spec.reinstall > 0 ? { reinstall: spec.reinstall } : {}),
    ...(spec.passwordReset > 0 ? { passwordReset: spec.passwordReset } : {}),
    ...(sshKeysSHA256 ? { sshKeysSHA256 } : {}),
  };
}

/** Provisioned, Active or Paused already: the same machine again is a repeat, another one is refused. */
function repeatedReport(
  status: ContractStatus,
  { instance, details, phase }: Readonly<{ instance: Instance; details: InstanceDetails; phase: string }>,
): Verdict<ReportAnswer> {
  const known = status.instance;
  if (!known || !sameGrant(known, instance) || known.externalId !== instance.externalId)
    return {
      outcome: 'Refused',
      code: 'IllegalMove',
      message: `the contract is ${phase} with machine ${known?.externalId ?? 'unknown'}, not ${instance.externalId}`,
      next: 'Keep the first machine; list your machines and let reconcile decide about this one.',
      data: { then: 'Continue' },
      final: false,
    };
  const addsVerification = status.access?.verifiedAt === undefined && Boolean(details.verifiedAt);
  if (addsVerification)
    return { outcome: 'Write', status: { ...status, ...accessOf(details) }, answer: { then: 'Continue' } };
  return { outcome: 'Answer', answer: { then: 'Continue' }, final: false };
}

type FailedFacts = Readonly<{
  agent: Claimant;
  epoch?: number | undefined;
  errorMessage: string;
  class: (typeof ATTEMPT_CLASSES)[number];
  now: Date;
}>;

/** The attempt failed: Provisioning → Accepted with a new epoch, and a pause before the next one. */
export function reportFailed(contract: LiveContract, facts: FailedFacts): Verdict<FailedAnswer> {
  const { status } = contract;
  const { agent, now } = facts;
  const epoch = facts.epoch ?? impliedEpoch(status, agent);
  if (epoch > status.epoch) return epochAhead({ epoch, status });
  if (isEnding(status.phase)) return destroy({ willRetry: false });
  const ended = status.attempts?.find((entry) => sameGrant(entry, { agentUID: agent.uid, epoch }));
  if (ended && status.lock?.epoch !== epoch && ended.outcome !== 'Succeeded')
    return { outcome: 'Answer', answer: retryAnswer(status, { epoch }), final: true };
  const standing = judgeStanding(status, { agent, epoch });
  if (standing) return standing.outcome === 'Answer' ? destroy({ willRetry: false }) : standing;
  if (!status.lock || status.phase !== 'Provisioning')
    return {
      outcome: 'Refused',
      code: 'IllegalMove',
      message: `the contract is ${status.phase}: its machine was reported before`,
      next: 'When the machine is gone, report it as terminated.',
      data: { then: 'Continue' },
      final: false,
    };
  const next = failAttempt(status, {
    attempt: endOfAttempt(status.lock, {
      outcome: 'Failed',
      class: facts.class,
      message: facts.errorMessage.slice(0, 1000),
      now,
    }),
    by: agent.name,
    reason: 'AttemptFailed',
    now,
    id: contract.metadata.uid ?? '',
  });
  return { outcome: 'Write', status: next, answer: retryAnswer(next, { epoch }) };
}

type TerminatedFacts = Readonly<{ agent: Claimant; epoch?: number | undefined; now: Date }>;

/** The machine of (agent, epoch) is gone for certain. Without an epoch: of every epoch of that agent. */
export function reportTerminated(
  contract: LiveContract,
  { agent, epoch, now }: TerminatedFacts,
): Verdict<TerminatedAnswer> {
  const { status } = contract;
  const own = (status.holders ?? []).filter((entry) => entry.agentUID === agent.uid);
  const gone = epoch === undefined ? own : own.filter((entry) => entry.epoch === epoch);
  if (gone.length === 0) return { outcome: 'Answer', answer: { confirmed: false }, final: true };
  let next = status;
  for (const entry of gone) {
    const isLocked = next.phase === 'Provisioning' && next.lock?.epoch === entry.epoch;
    if (!isLocked) {
      next = withoutHolder(next, entry);
      continue;
    }
    const freed = release(
      { ...contract, status: next },
      { agent, epoch: entry.epoch, message: 'the machine is gone', now },
    );
    if (freed.outcome === 'Write') next = freed.status;
  }
  return { outcome: 'Write', status: next, answer: { confirmed: true } };
}

/** What every report has in common: is its epoch the one that counts? Undefined when it is. */
function judgeStanding(
  status: ContractStatus,
  { agent, epoch }: Readonly<{ agent: Claimant; epoch: number }>,
): Exclude<Verdict<ReportAnswer>, { outcome: 'Write' }> | undefined {
  const held = isHolder(status, { agentUID: agent.uid, epoch });
  // Before anything else: what failed here may have been retried in a world that etcd does not remember.
  if (epoch > status.epoch) return epochAhead({ epoch, status });
  if (isEnding(status.phase) && held) return { outcome: 'Answer', answer: { then: 'Destroy' }, final: true };
  if (isEnding(status.phase) || !held || epoch < status.epoch) return staleEpoch({ epoch, status });
  return undefined;
}

/** Agents of the reference protocol name no epoch: the lock's when they hold it, else their latest. */
function impliedEpoch(status: ContractStatus, agent: Claimant): number {
  if (status.lock?.agentUID === agent.uid) return status.lock.epoch;
  const own = (status.holders ?? []).filter((entry) => entry.agentUID === agent.uid);
  return Math.max(0, ...own.map((entry) => entry.epoch));
}

function closeAttempt(
  status: ContractStatus,
  { agent, epoch, now }: Readonly<{ agent: Claimant; epoch: number; now: Date }>,
): ContractStatus {
  const known = status.attempts?.find((entry) => sameGrant(entry, { agentUID: agent.uid, epoch }));
  const startedAt = status.lock?.acquiredAt ?? known?.startedAt ?? now.toISOString();
  const attempt = { agent: agent.name, agentUID: agent.uid, epoch, startedAt, endedAt: now.toISOString() };
  return withAttempt(status, { ...attempt, outcome: 'Succeeded' });
}

/** What a tenant needs of a report, and the line of it that a table shows. */
export function accessOf(details: InstanceDetails): { access: Access; endpoint?: string } {
  const host = details.publicIp ?? details.ipAddress ?? details.ipv6Address ?? undefined;
  const addresses = [...new Set([details.publicIp, details.ipAddress, details.ipv6Address])].filter(
    (address): address is string => Boolean(address),
  );
  const access: Access = {
    port: details.sshPort,
    ...(host ? { host } : {}),
    ...(details.sshUser ? { user: details.sshUser } : {}),
    ...(details.hostKeyFingerprint ? { hostKeyFingerprint: details.hostKeyFingerprint } : {}),
    ...(details.verifiedAt ? { verifiedAt: details.verifiedAt } : {}),
    ...(addresses.length > 0 ? { addresses } : {}),
  };
  return host
    ? { access, endpoint: `${host.includes(':') ? `[${host}]` : host}:${details.sshPort}` }
    : { access };
}
