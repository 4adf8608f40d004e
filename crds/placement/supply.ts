/**
 * Pools and agents in the form that placing reads: quantities parsed, capacities multiplied, hashes made. Whoever
 * places often keeps each prepared pool and makes anew only the one that changed.
 */
import type { Agent, AgentHealth } from '../agent.ts';
import type { AgentPool } from '../agent-pool.ts';
import { type Amounts, numberOf } from './amounts.ts';
import { recordOf, type TrackRecord } from './health.ts';
import type { Load } from './load.ts';
import { hashOf } from './rendezvous.ts';

/** One agent with what was found out about it. */
export type AgentFacts = Readonly<{
  agent: Agent;
  /** By its heartbeat Lease: fresh, not fresh, or fresh and used by two processes. */
  presence: 'Online' | 'Offline' | 'Duplicate';
  /** `loadOf` its contracts. */
  load: Load;
  /** `healthOf` its contracts, or what `Agent.status.health` has of it. */
  health?: AgentHealth | undefined;
}>;

export type PreparedAgent = AgentFacts &
  Readonly<{
    uid: string;
    hash: number;
    record: TrackRecord;
    /** What may be promised, overcommitment included; undefined: the agent has not said, and checks for itself. */
    capacity: Readonly<{ [K in keyof Amounts]: Amounts[K] | undefined }>;
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

function prepareAgent(facts: AgentFacts, { spec }: AgentPool): PreparedAgent {
  const { metadata, status } = facts.agent;
  const { cpu, memory, storage, gpu = 0, instances } = status?.resources ?? {};
  const { overcommit, instancesPerAgent } = spec.placement ?? {};
  const promised = (size: string | undefined, { percent = 100, unit = 1 }): number | undefined =>
    size === undefined ? undefined : Math.floor((numberOf(size) * unit * percent) / 100);
  return {
    ...facts,
    uid: metadata.uid ?? '',
    hash: hashOf(metadata.uid ?? ''),
    record: recordOf(facts.health),
    capacity: {
      cpuMilli: promised(cpu, { percent: overcommit?.cpuPercent, unit: 1000 }),
      memoryBytes: promised(memory, { percent: overcommit?.memoryPercent }),
      storageBytes: promised(storage, { percent: overcommit?.storagePercent }),
      gpus: gpu, // an agent that names none has none
      instances: least(instances, instancesPerAgent),
    },
  };
}

const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
