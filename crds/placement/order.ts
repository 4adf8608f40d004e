/**
 * Who comes first among those that may take a contract. What decides is compared in this order, and only what is
 * equal goes on to the next: who held the lock that ran out, who has not failed this contract, who built it
 * before, the tier and priority of the pool, the better region and type, apart from the tenant's others, the
 * score, and at last a number of each pair of contract and agent.
 */
import { DIMENSIONS } from './amounts.ts';
import type { Pair } from './checks.ts';
import type { Demand } from './demand.ts';
import { pairOf } from './rendezvous.ts';
import type { PreparedAgent } from './supply.ts';

export type Rank = Readonly<{
  /** 0 to 100, how well it suits by load and health. */
  score: number;
  /** All of the order above but the last step in one number; the greater comes first. */
  key: number;
  tie: number;
}>;

export function rankOf(pair: Pair): Rank {
  const { demand, route, agent } = pair;
  const { uid, hash } = agent;
  const score = scoreOf(pair);
  const { priority } = route.pool.pool.spec;
  let key = demand.takeover?.agentUID === uid ? 1 : 0;
  key = then(key, { most: 15, value: 15 - (demand.failedOn.get(uid) ?? 0) });
  key = then(key, { most: 1, value: demand.stickyTo === uid ? 1 : 0 });
  key = then(key, { most: 511, value: 511 - route.tier });
  key = then(key, { most: 2000, value: priority + 1000 });
  key = then(key, { most: 63, value: 63 - route.preference });
  key = then(key, { most: 1, value: demand.apart?.agents.has(uid) ? 0 : 1 });
  key = then(key, { most: 100, value: score });
  return { score, key, tie: pairOf(demand.hash, hash) };
}

/** One more step of the order: as a number in mixed radix, 10^12 at most, so that it is exact. */
const then = (key: number, { most, value }: Readonly<{ most: number; value: number }>): number =>
  key * (most + 1) + Math.min(most, Math.max(0, value));

/** For `sort`: the first choice first, and never equal for two agents. */
export const byRank = (
  a: Readonly<{ rank: Rank; agentUID: string }>,
  b: Readonly<{ rank: Rank; agentUID: string }>,
): number => b.rank.key - a.rank.key || b.rank.tie - a.rank.tie || (a.agentUID < b.agentUID ? -1 : 1);

/** Whole points: agents that are nearly as full as each other tie, and the last step shares the work out. */
function scoreOf({ demand, route, agent, standing }: Pair): number {
  const filled = filledBy(demand, agent);
  const isPacked = route.pool.pool.spec.placement?.strategy === 'Pack';
  const points = 100 * (isPacked ? filled : 1 - filled);
  return Math.max(0, Math.round(points - standing.cost));
}

/** Agents that say nothing of their size are compared by how many machines they have. */
const TYPICAL_INSTANCES = 8;

/** 0 to 1: how full the fullest dimension would be with this contract. */
function filledBy({ wanted, heldBy }: Demand, { uid, capacity, load }: PreparedAgent): number {
  const own = heldBy.has(uid) ? 0 : 1;
  let filled = -1;
  for (const dimension of DIMENSIONS) {
    const total = capacity[dimension];
    if (total === undefined || total === 0) continue;
    filled = Math.max(filled, (load.used[dimension] + own * wanted[dimension]) / total);
  }
  if (filled >= 0) return Math.min(1, filled);
  const instances = load.used.instances + own;
  return instances / (instances + TYPICAL_INSTANCES);
}
