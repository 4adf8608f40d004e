/**
 * Who comes first among those that may take a contract. What decides is compared in this order, and only what is
 * equal goes on to the next: who held the lock that ran out, who has not failed this contract, who built it
 * before, the tier and priority of the pool, the better region and type, apart from the tenant's others, the
 * score, and at last a number of each pair of contract and agent.
 */
import { fullest, plus } from './amounts.ts';
import type { Pair } from './checks.ts';
import type { Demand } from './demand.ts';
import { pairOf } from './rendezvous.ts';
import type { Route } from './routes.ts';
import type { PreparedAgent } from './supply.ts';

export type Rank = Readonly<{
  agentUID: string;
  /** 0 to 100, how well it suits by load and health. */
  score: number;
  /** All of the order above but the last step in one number; the greater comes first. */
  key: number;
  tie: number;
}>;

/** How many values each step of the order has: the key is a number in this mixed radix, below 10^12 and so exact. */
const FAILED = 16;
const TIER = 512;
const PRIORITY = 2001;
const PREFERENCE = 64;
const SCORE = 101;
const ROUTE = TIER * PRIORITY * PREFERENCE;

/** The steps that all agents of a pool have in common. */
export function routeKeyOf({ tier, preference, pool }: Route): number {
  const byTier = upTo(TIER, TIER - 1 - tier) * PRIORITY + upTo(PRIORITY, pool.pool.spec.priority + 1000);
  return byTier * PREFERENCE + upTo(PREFERENCE, PREFERENCE - 1 - preference);
}

export function rankOf(pair: Pair, routeKey: number): Rank {
  const { demand, agent } = pair;
  const { uid, hash } = agent;
  const score = scoreOf(pair);
  const goesFirst = demand.takeover?.agentUID === uid ? 1 : 0;
  const isSticky = demand.stickyTo === uid ? 1 : 0;
  const isApart = demand.apart?.agents.has(uid) ? 0 : 1;
  const spared = upTo(FAILED, FAILED - 1 - (demand.failedOn.get(uid) ?? 0));
  const past = (goesFirst * FAILED + spared) * 2 + isSticky;
  const key = ((past * ROUTE + routeKey) * 2 + isApart) * SCORE + score;
  return { agentUID: uid, score, key, tie: pairOf(demand.hash, hash) };
}

const upTo = (values: number, value: number): number => Math.min(values - 1, Math.max(0, value));

/** For `sort`: the first choice first, and never equal for two agents. */
export const byRank = (a: Rank, b: Rank): number =>
  b.key - a.key || b.tie - a.tie || (a.agentUID < b.agentUID ? -1 : 1);

/** Whole points: agents that are nearly as full as each other tie, and the last step shares the work out. */
function scoreOf({ demand, route, agent, standing }: Pair): number {
  const filled = filledBy(demand, agent);
  const isPacked = route.pool.pool.spec.placement?.strategy === 'Pack';
  const points = 100 * (isPacked ? filled : 1 - filled);
  return Math.max(0, Math.round(points - standing.cost));
}

/** Agents that say nothing of their size are compared by how many machines they have. */
const TYPICAL_INSTANCES = 8;

/** 0 to 1: how full the agent would be with this contract. */
function filledBy({ wanted, heldBy }: Demand, { uid, capacity, isSized, load }: PreparedAgent): number {
  const used = heldBy.has(uid) ? load.used : plus(load.used, wanted);
  return isSized ? fullest(used, capacity) : used.instances / (used.instances + TYPICAL_INSTANCES);
}
