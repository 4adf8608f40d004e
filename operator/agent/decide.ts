/** What is to be said of an agent: is it online, is it one, is its host clean, does it get work, what it holds. */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { isTrue, withCondition } from '../../crds/condition.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import { counted } from '../../lib/counted.ts';
import { healthCondition, type Work, withFigures } from './figures.ts';
import { plansFor } from './plans.ts';
import { readyCondition, type Said } from './ready.ts';

export const LAST_SEEN_EVERY_MS = 5 * 60_000;
/** Figures alone are written at most this often. */
export const COUNTS_EVERY_MS = 10_000;
/** A refused process with its key is shown until it was not heard for so long; it is noted every minute. */
const CLONE_SHOWN_MS = 3 * 60_000;

export type AgentLook = Readonly<{
  agent: Agent;
  /** Undefined when it never sent a heartbeat. */
  lease:
    | Readonly<{
        renewTime: string;
        silentMs: number;
        left: boolean;
        duplicate: boolean;
        /** Since another process with its key was last refused; undefined: never. */
        cloneSilentMs?: number | undefined;
      }>
    | undefined;
  /** Undefined when there is no pool of that name. */
  pool: AgentPool | undefined;
  /** Contracts that name it as a holder. */
  held: readonly Contract[];
  activeContracts: number;
  work: Work;
  sinceLastWriteMs: number;
  now: Date;
}>;

export type AgentDecision = Readonly<{
  status: NonNullable<Agent['status']>;
  requeueAfterMs: number | undefined;
}>;

export function decideAgent(facts: AgentLook): AgentDecision {
  const { agent, lease, activeContracts, sinceLastWriteMs, now } = facts;
  const status = agent.status ?? {};
  const figures = withFigures(status, facts.work);
  const health = healthCondition(figures, now);
  const online = lease !== undefined && !lease.left && lease.silentMs < ONLINE_WITHIN_MS;
  const flips = isTrue(status.conditions, 'Online') !== online || status.conditions === undefined;
  const plans = plansFor({ agent, pool: facts.pool, held: facts.held, now });
  const ready = readyCondition({
    agent: { ...agent, status: figures },
    pool: facts.pool,
    presence: lease?.duplicate ? 'Duplicate' : online ? 'Online' : 'Offline',
    load: facts.work.load,
    health: health.said,
    now,
  });
  const conditions = [
    { type: 'Online', ...onlineCondition(facts, online) },
    { type: 'Unique', ...uniqueCondition(facts) },
    { type: 'Clean', ...cleanCondition(facts) },
    { type: 'Healthy', ...health.said },
    ...plans.conditions,
    { type: 'Ready', ...ready },
  ]
    .reduce((list, next) => withCondition(list, { next, now }), status.conditions)
    ?.filter(({ type }) => !plans.silent.includes(type));
  const seenMs = status.lastSeenAt ? Date.parse(status.lastSeenAt) : 0;
  const lastSeenIsOld = lease !== undefined && Date.parse(lease.renewTime) - seenMs >= LAST_SEEN_EVERY_MS;
  const { remaining: _before, cordonedSince = now.toISOString(), ...kept } = figures;
  const next = {
    ...kept,
    ...(agent.metadata.generation === undefined ? {} : { observedGeneration: agent.metadata.generation }),
    ...(lease && (flips || lastSeenIsOld) ? { lastSeenAt: new Date(lease.renewTime).toISOString() } : {}),
    activeContracts,
    ...(agent.spec.cordoned ? { cordonedSince } : {}),
    ...(plans.remaining ? { remaining: plans.remaining } : {}),
    ...(conditions ? { conditions } : {}),
  };
  // Deeply, not as text: the API server answers the members of a condition in an order of its own.
  const onlyCounts = !flips && isDeepStrictEqual(withoutCounts(next), withoutCounts(status));
  if (onlyCounts && !isDeepStrictEqual(next, status) && sinceLastWriteMs < COUNTS_EVERY_MS)
    return { status, requeueAfterMs: COUNTS_EVERY_MS - sinceLastWriteMs };
  const waits = [
    ...(online ? [ONLINE_WITHIN_MS - lease.silentMs] : []),
    ...[plans.againInMs, health.changesInMs].filter((ms) => ms !== undefined),
    ...(isCloned(facts) ? [CLONE_SHOWN_MS - (lease?.cloneSilentMs ?? 0)] : []),
  ];
  return { status: next, requeueAfterMs: waits.length > 0 ? Math.min(...waits) : undefined };
}

/** What is written at once when it changes; the rest are figures that may wait. */
const withoutCounts = ({
  activeContracts,
  allocated,
  free,
  freeText,
  health,
  remaining,
  ...rest
}: NonNullable<Agent['status']>) => rest;

function onlineCondition({ lease }: AgentLook, online: boolean): Said {
  if (online) return { status: 'True', reason: 'HeartbeatFresh', message: 'Its heartbeat is fresh' };
  if (!lease)
    return {
      status: 'False',
      reason: 'NeverSeen',
      message: 'It joined, and has not run yet: start it with dc-agent run',
    };
  if (lease.left) return { status: 'False', reason: 'Stopped', message: 'It was stopped in an orderly way' };
  return {
    status: 'False',
    reason: 'HeartbeatLost',
    message: 'No heartbeat for 45 seconds: is the host up, and dc-agent running?',
  };
}

const isCloned = ({ lease }: AgentLook): boolean =>
  lease?.cloneSilentMs !== undefined && lease.cloneSilentMs < CLONE_SHOWN_MS;

function uniqueCondition(facts: AgentLook): Said {
  const next = 'Stop one of them, and give a cloned machine a setup token of its own';
  if (facts.lease?.duplicate)
    return {
      status: 'False',
      reason: 'DuplicateAgent',
      message: `Two processes use its key, and both are refused. ${next}`,
    };
  if (isCloned(facts))
    return {
      status: 'False',
      reason: 'DuplicateAgent',
      message: `Another process with its key is refused; the first goes on. ${next}`,
    };
  return { status: 'True', reason: 'OneProcess', message: 'One process uses its key' };
}

function cleanCondition({ agent }: AgentLook): Said {
  const { count = 0, stopped = 0, waiting = 0 } = agent.status?.orphans ?? {};
  if (count === 0)
    return { status: 'True', reason: 'NoOrphans', message: 'Every machine on its host has a contract' };
  const rest = waiting > 0 ? `; ${waiting} to be destroyed, which only so many are in an hour` : '';
  return {
    status: 'False',
    reason: 'OrphanInstances',
    message: `${counted(count, 'machine')} on its host without a contract, ${stopped} of them stopped${rest}`,
  };
}
