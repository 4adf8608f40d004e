/**
 * May this agent claim this contract now? The same answer serves the work list, the claim and the explanation
 * of why something waits.
 */
import type { Agent } from '../agent.ts';
import type { AgentPool } from '../agent-pool.ts';
import type { Contract, LiveContract } from './contract.ts';
import { hasFailed, passedOver } from './failed-before.ts';
import { ATTEMPTS_MAX, CAPACITY_RELEASES_MAX, TAKEOVER_HEAD_START_MS } from './numbers.ts';
import type { TermsSnapshot } from './spec.ts';
import { endWish } from './wishes.ts';

export const REFUSAL_REASONS = [
  'NotWaiting',
  'AgentRevoked',
  'AgentCordoned',
  'AgentDraining',
  'MissingPermission',
  'WrongPool',
  'PoolPaused',
  'Backoff',
  'TakeoverHeadStart',
  'FailedBefore',
  'FailedForGood',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export type Eligibility =
  | Readonly<{ eligible: true }>
  | Readonly<{
      eligible: false;
      reason: RefusalReason;
      message: string;
      /** When the answer may change although nothing happens; absent: only an event changes it. */
      until?: string;
    }>;

export type Candidate = Readonly<{ agent: Agent; pool: AgentPool }>;

type Facts = Readonly<{
  agent: Agent;
  pool: AgentPool;
  /** Whether the heartbeat Lease of an agent is younger than 45 s. */
  leaseFresh: (agentUID: string) => boolean;
  /** The agents of the pools that could build it. Left out: there may always be another that could try. */
  candidates?: (() => Iterable<Candidate>) | undefined;
  now: Date;
}>;

export function eligibility(contract: LiveContract, facts: Facts): Eligibility {
  if (contract.status.phase !== 'Accepted' || endWish(contract))
    return refuse('NotWaiting', 'it does not wait for an agent');
  if (isUsedUp(contract))
    return refuse('NotWaiting', 'it was tried as often as it may be, and is about to end');
  return (
    agentRefusal(facts) ??
    poolRefusal(contract, facts.pool) ??
    timeRefusal(contract, facts) ?? { eligible: true }
  );
}

/** The operator ends it as soon as it looks; until then nobody may take one more try. */
const isUsedUp = ({ status: { failures = 0, capacityReleases = 0 } }: LiveContract): boolean =>
  failures >= ATTEMPTS_MAX || capacityReleases >= CAPACITY_RELEASES_MAX;

/** Whether a pool could build what the terms say: the explicit pool, else region and provisioner type. */
export function poolServes(
  terms: Pick<TermsSnapshot, 'poolName' | 'region' | 'provisionerType'>,
  pool: AgentPool,
): boolean {
  if (pool.spec.provisionerType !== terms.provisionerType) return false;
  return terms.poolName ? pool.metadata.name === terms.poolName : pool.spec.location === terms.region;
}

/**
 * The keys under which a waiting contract is looked up, and those that an agent of `pool` looks under: one
 * lookup answers a poll, however many contracts there are.
 */
export function demandKeys({ metadata, spec }: Contract): string[] {
  const terms = spec.termsSnapshot;
  if (!terms || !metadata.namespace) return [];
  return [
    terms.poolName
      ? `${metadata.namespace}/pool/${terms.poolName}`
      : `${metadata.namespace}/region/${terms.region}/${terms.provisionerType}`,
  ];
}

export const supplyKeys = ({ metadata, spec }: AgentPool): string[] => [
  `${metadata.namespace ?? ''}/pool/${metadata.name}`,
  `${metadata.namespace ?? ''}/region/${spec.location}/${spec.provisionerType}`,
];

function agentRefusal({ agent: { spec } }: Pick<Facts, 'agent'>): Eligibility | undefined {
  if (spec.revoked) return refuse('AgentRevoked', 'the agent was revoked');
  if (spec.cordoned)
    return refuse('AgentCordoned', `cordoned${spec.cordonReason ? `: ${spec.cordonReason}` : ''}`);
  if (spec.draining) return refuse('AgentDraining', 'the agent is being drained');
  if (!spec.permissions.includes('provision'))
    return refuse('MissingPermission', 'the agent lacks the permission provision');
  return undefined;
}

function poolRefusal(contract: LiveContract, pool: AgentPool): Eligibility | undefined {
  const terms = contract.spec.termsSnapshot;
  if (!terms || contract.metadata.namespace !== pool.metadata.namespace || !poolServes(terms, pool))
    return refuse('WrongPool', `pool ${pool.metadata.name} does not build it`);
  if (pool.spec.paused) return refuse('PoolPaused', `pool ${pool.metadata.name} is paused`);
  return undefined;
}

function timeRefusal(contract: LiveContract, facts: Facts): Eligibility | undefined {
  const { status } = contract;
  const { agent, now } = facts;
  if (status.nextAttemptAt && Date.parse(status.nextAttemptAt) > now.getTime())
    return refuse('Backoff', `the next attempt is not before ${status.nextAttemptAt}`, status.nextAttemptAt);
  const takeover = takeoverRefusal(contract, facts);
  if (takeover) return takeover;
  const agentUID = agent.metadata.uid ?? '';
  const over = passedOver(status, {
    agentUID,
    now,
    othersCouldTry: () => couldAnotherTry(contract, { ...facts, agentUID }),
  });
  return over && { eligible: false, ...over };
}

function takeoverRefusal(
  { status }: LiveContract,
  { agent, leaseFresh, now }: Facts,
): Eligibility | undefined {
  const last = status.attempts?.at(-1);
  if (last?.outcome !== 'Expired' || last.epoch !== status.epoch) return undefined;
  const headStartEnds = Date.parse(last.endedAt) + TAKEOVER_HEAD_START_MS;
  if (last.agentUID === agent.metadata.uid || now.getTime() >= headStartEnds || !leaseFresh(last.agentUID))
    return undefined;
  const until = new Date(headStartEnds).toISOString();
  return refuse('TakeoverHeadStart', `${last.agent} goes first until ${until}`, until);
}

/** Somebody who is there, may build it, and has not failed at it. */
function couldAnotherTry(
  contract: LiveContract,
  { agentUID, candidates, leaseFresh }: Facts & Readonly<{ agentUID: string }>,
): boolean {
  if (!candidates) return true;
  for (const { agent, pool } of candidates()) {
    const uid = agent.metadata.uid ?? '';
    if (uid === agentUID || hasFailed(contract.status, uid) || !leaseFresh(uid)) continue;
    if (!agentRefusal({ agent }) && !poolRefusal(contract, pool)) return true;
  }
  return false;
}

const refuse = (reason: RefusalReason, message: string, until?: string): Eligibility => ({
  eligible: false,
  reason,
  message,
  ...(until === undefined ? {} : { until }),
});
