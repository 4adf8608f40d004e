/** Pools and agents for the tests of placement: a legal minimum, and a case names only what it is about. */
import type { Agent } from '../agent.ts';
import type { AgentPool } from '../agent-pool.ts';
import { anAgent, aPool, at, someTerms, uidOf } from '../contract/builders.ts';
import type { Contract } from '../contract/contract.ts';
import type { AgentFacts } from './agent-facts.ts';
import { amountsOf, NOTHING } from './amounts.ts';
import type { DemandFacts } from './demand.ts';
import { NO_LOAD } from './load.ts';
import { type Placement, place } from './place.ts';
import { prepareSupply } from './supply.ts';

export const POOL = 'europe-script';

type Change = Readonly<{
  pool?: string;
  spec?: Partial<Agent['spec']>;
  status?: Partial<NonNullable<Agent['status']>>;
  labels?: Record<string, string>;
  metadata?: Partial<Agent['metadata']>;
  facts?: Partial<Omit<AgentFacts, 'agent'>>;
}>;

/** Online, 32 CPU, 128Gi memory, 1000Gi disk, nothing on it. */
export function someAgent(
  n: number,
  { pool = POOL, spec, status, labels = {}, metadata, facts }: Change = {},
): AgentFacts {
  const agent = anAgent(n, { poolName: pool, ...spec });
  return {
    agent: {
      ...agent,
      metadata: { ...agent.metadata, name: `node-${n}`, labels, ...metadata },
      status: { resources: { cpu: '32', memory: '128Gi', storage: '1000Gi' }, ...status },
    },
    presence: 'Online',
    load: NO_LOAD,
    ...facts,
  };
}

/** Deleted; its finalizer keeps it while it is used. */
export function aGoingPool(name = POOL): AgentPool {
  const pool = aPool(name);
  return { ...pool, metadata: { ...pool.metadata, deletionTimestamp: at(0).toISOString() } };
}

/** So much of an agent is promised already. */
export const loaded = (
  cpu: number,
  { memory = '0', storage = '0', instances = 1 } = {},
): AgentFacts['load'] => ({
  used: { ...amountsOf({ cpu: `${cpu}`, memory, storage }), instances },
  unproven: 0,
  building: 0,
});

export const crowded = (instances: number): AgentFacts['load'] => ({
  used: { ...NOTHING, instances },
  unproven: 0,
  building: 0,
});

export type World = Readonly<{ pools?: readonly AgentPool[]; agents?: readonly AgentFacts[] }>;

/** Places with the contract's own terms; one pool and no agent unless said otherwise. */
export function placeIn(
  { pools = [aPool()], agents = [] }: World,
  contract: Contract,
  facts: Pick<DemandFacts, 'now' | 'siblings'>,
): Placement {
  const terms = contract.spec.termsSnapshot ?? someTerms();
  return place(contract, { ...facts, terms, supply: prepareSupply({ pools, agents }) });
}

export const firsts = ({ candidates }: Placement): string[] => candidates.map(({ agent }) => agent);

/** `node-1: AgentCordoned`, and the pool's name for a pool that is passed over as a whole. */
export const refusals = ({ passedOver }: Placement): string[] =>
  passedOver.map(({ pool, agent, because }) => `${agent ?? pool}: ${because.reason}`);

export const failedAttempt = (n: number, epoch: number, endedAt: Date) => ({
  agent: `node-${n}`,
  agentUID: uidOf(n),
  epoch,
  startedAt: endedAt.toISOString(),
  endedAt: endedAt.toISOString(),
  outcome: 'Failed' as const,
});
