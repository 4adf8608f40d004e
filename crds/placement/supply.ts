/**
 * Pools and agents in the form that placing reads: quantities parsed, capacities multiplied, hashes made. Whoever
 * places often keeps each prepared pool and makes anew only the one that changed.
 */
import type { Agent } from '../agent.ts';
import type { AgentPool } from '../agent-pool.ts';
import { type Window, windowsOf } from '../maintenance.ts';
import type { AgentFacts } from './agent-facts.ts';
import { type Amounts, NO_END } from './amounts.ts';
import { buildsMaxOf, capacityOf } from './capacity.ts';
import { type Fitness, fitnessOf } from './fitness.ts';
import { recordOf, type TrackRecord } from './health.ts';
import { hashOf } from './rendezvous.ts';

export type PreparedAgent = AgentFacts &
  Readonly<{
    uid: string;
    hash: number;
    record: TrackRecord;
    /** What may be promised, overcommitment included; without an end where the agent says nothing: it checks itself. */
    capacity: Amounts;
    /** So many it may have locked without having reported a machine of them. */
    buildsMax: number;
    /** It said something of its size. */
    isSized: boolean;
    fitness: Fitness;
    /** Its own maintenance windows and those of its pool. */
    windows: Readonly<Record<'own' | 'pool', readonly Window[]>>;
  }>;

export type PreparedPool = Readonly<{ pool: AgentPool; agents: readonly PreparedAgent[] }>;

export type Supply = Readonly<{
  /** By namespace. */
  pools: ReadonlyMap<string, readonly PreparedPool[]>;
  /** Agents whose pool is not there, by namespace. */
  strays: ReadonlyMap<string, readonly Agent[]>;
}>;

/** All anew, for whoever places once. */
export function prepareSupply({
  pools,
  agents,
}: Readonly<{ pools: Iterable<AgentPool>; agents: Iterable<AgentFacts> }>): Supply {
  const byPool = Map.groupBy(agents, ({ agent }) => keyOf(agent.metadata.namespace, agent.spec.poolName));
  const prepared = [...pools].map((pool) => {
    const key = keyOf(pool.metadata.namespace, pool.metadata.name);
    const own = byPool.get(key) ?? [];
    byPool.delete(key);
    return preparePool(pool, own);
  });
  return supplyOf({ pools: prepared, strays: [...byPool.values()].flat().map(({ agent }) => agent) });
}

/** A pool with all of its agents: to be made anew when it, one of them, or a contract of one of them changed. */
export const preparePool = (pool: AgentPool, agents: readonly AgentFacts[]): PreparedPool => ({
  pool,
  agents: agents.map((facts) => prepareAgent(facts, pool)),
});

/** `strays` are agents whose pool is not there. */
export const supplyOf = ({
  pools,
  strays,
}: Readonly<{ pools: Iterable<PreparedPool>; strays: Iterable<Agent> }>): Supply => ({
  pools: Map.groupBy(pools, ({ pool }) => pool.metadata.namespace ?? ''),
  strays: Map.groupBy(strays, ({ metadata }) => metadata.namespace ?? ''),
});

/** One of them: to be made anew when it, a contract of it, or the spec of its pool changed. */
export function prepareAgent(facts: AgentFacts, pool: AgentPool): PreparedAgent {
  const { metadata, spec, status } = facts.agent;
  const capacity = capacityOf(status?.resources, pool.spec);
  return {
    ...facts,
    uid: metadata.uid ?? '',
    hash: hashOf(metadata.uid ?? ''),
    record: recordOf(facts.health),
    capacity,
    buildsMax: buildsMaxOf(pool.spec),
    isSized: Object.values(capacity).some((amount) => amount > 0 && amount < NO_END),
    fitness: fitnessOf(facts, pool),
    windows: { own: windowsOf(spec.maintenance), pool: windowsOf(pool.spec.maintenance) },
  };
}

const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;
