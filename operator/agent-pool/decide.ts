/** What is to be said of a pool: how many agents, how much work, and can it build at all. */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { type Condition, type ConditionInput, isTrue, withCondition } from '../../crds/condition.ts';
import { tellUses, type Uses, withTerminating } from '../../crds/in-use.ts';
import { changesAtMs, inService, windowsOf } from '../../crds/maintenance.ts';
import type { PassedOverReason } from '../../crds/placement/reasons.ts';
import { awayBecause } from '../../crds/placement/shut.ts';
import { counted } from '../../lib/counted.ts';
import { fallbackCondition, type Neighbours } from './fallbacks.ts';
import { type PoolWork, poolFigures } from './figures.ts';

const COUNTS_EVERY_MS = 10_000;

export type PoolFacts = Readonly<{
  pool: AgentPool;
  agents: readonly Agent[];
  activeContracts: number;
  waitingContracts: number;
  work: PoolWork;
  /** Given when it names fallback pools. */
  neighbours?: Neighbours | undefined;
  /** Who still uses it; given once it was deleted. */
  uses?: Uses | undefined;
  sinceLastWriteMs: number;
  now: Date;
}>;

export type PoolDecision = Readonly<{
  status: NonNullable<AgentPool['status']>;
  requeueAfterMs: number | undefined;
}>;

export function decidePool({
  pool,
  agents,
  activeContracts,
  waitingContracts,
  work,
  neighbours,
  uses,
  sinceLastWriteMs,
  now,
}: PoolFacts): PoolDecision {
  const status = pool.status ?? {};
  const joined = agents.filter(({ spec }) => !spec.revoked);
  const online = joined.filter((agent) => isTrue(agent.status?.conditions, 'Online'));
  const there = new Set(online.map(({ metadata }) => metadata.uid));
  const idle = work.agents
    .filter(({ uid }) => there.has(uid))
    .flatMap((agent) => awayBecause(agent, now.getTime())?.reason ?? []);
  const terminating = uses && withTerminating(status.conditions, { kind: 'AgentPool', uses, now });
  const windows = windowsOf(pool.spec.maintenance);
  const service = inService(windows, now.getTime());
  const standing = withOrWithout(terminating ?? status.conditions, {
    InService: service,
    FallbacksUsable: neighbours && fallbackCondition(pool, neighbours),
    now,
  });
  const { figures, changesInMs } = poolFigures(work, now);
  const next = {
    ...status,
    ...figures,
    ...(pool.metadata.generation === undefined ? {} : { observedGeneration: pool.metadata.generation }),
    agents: joined.length,
    online: online.length,
    onlineText: `${online.length}/${joined.length}`,
    activeContracts,
    waitingContracts,
    conditions: withCondition(standing, {
      next: { type: 'Ready', ...(uses ? isGoing(uses) : readiness(pool, { joined, online, idle, service })) },
      now,
    }),
  };
  const flips =
    isTrue(status.conditions, 'Ready') !== isTrue(next.conditions, 'Ready') ||
    isTrue(status.conditions, 'Terminating') !== isTrue(next.conditions, 'Terminating') ||
    status.conditions === undefined;
  const changes = !isDeepStrictEqual(next, status);
  if (changes && !flips && sinceLastWriteMs < COUNTS_EVERY_MS)
    return { status, requeueAfterMs: COUNTS_EVERY_MS - sinceLastWriteMs };
  const againAtMs = changesAtMs(windows, now.getTime());
  const waits = [changesInMs, againAtMs === undefined ? undefined : againAtMs - now.getTime()];
  const ahead = waits.filter((ms) => ms !== undefined);
  return { status: next, requeueAfterMs: ahead.length > 0 ? Math.min(...ahead) : undefined };
}

type Standing = Readonly<{ now: Date }> &
  Readonly<Record<'InService' | 'FallbacksUsable', ConditionInput | undefined>>;

/** They stand only while there is something to say: maintenance that is on or planned, pools that are named. */
const withOrWithout = (
  conditions: readonly Condition[] | undefined,
  { now, ...said }: Standing,
): readonly Condition[] | undefined =>
  Object.entries(said).reduce<readonly Condition[] | undefined>(
    (list, [type, next]) =>
      next ? withCondition(list, { next, now }) : list?.filter((condition) => condition.type !== type),
    conditions,
  );

const isGoing = (uses: Uses) =>
  ({
    status: 'False',
    reason: 'Terminating',
    message: `It was deleted: nothing new is built in it, and it waits for ${tellUses(uses)}`,
  }) as const;

type Counts = Readonly<{
  joined: readonly Agent[];
  online: readonly Agent[];
  /** Why placement passes over those that are online and yet get nothing new, whatever it is. */
  idle: readonly PassedOverReason[];
  service: ConditionInput | undefined;
}>;

function readiness(
  { spec }: AgentPool,
  { joined, online, idle, service }: Counts,
): Readonly<{ status: 'True' | 'False'; reason: string; message: string }> {
  const no = (reason: string, message: string) => ({ status: 'False', reason, message }) as const;
  if (spec.paused) return no('Paused', 'The pool is paused: set spec.paused to false');
  if (service?.status === 'False') return no(service.reason, service.message);
  if (joined.length === 0)
    return no('NoAgents', 'No agent joined yet: make a setup token and run it on a host');
  if (online.length === 0)
    return no(
      'NoAgentOnline',
      joined.length === 1 ? 'Its only agent is offline' : `None of its ${joined.length} agents is online`,
    );
  const why = [...new Set(idle)].sort().join(', ');
  if (idle.length >= online.length)
    return no('NoAgentReady', `No agent that is online takes new work: ${why}`);
  const without = idle.length === 0 ? '' : `, without new work for ${idle.length} of them: ${why}`;
  const message = `${online.length} of ${counted(joined.length, 'agent')} online${without}`;
  return { status: 'True', reason: 'Ready', message };
}
