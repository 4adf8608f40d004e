/**
 * Where a contract is built: all agents that may take it, the first choice first, and of every other pool and agent
 * of its namespace why not. Pure: the same facts give the same answer in every process. `head-start.ts` says who
 * of them may claim when, `explain.ts` why nobody does.
 */
import type { Contract } from '../contract/contract.ts';
import type { Amounts } from './amounts.ts';
import { refusalOf } from './checks.ts';
import { type Demand, type DemandFacts, demandOf } from './demand.ts';
import { standingAt } from './health.ts';
import { byRank, type Rank, rankOf } from './order.ts';
import { type Because, endsAtMs } from './reasons.ts';
import { type Route, routesOf } from './routes.ts';
import type { PreparedPool, Supply } from './supply.ts';

export type Candidate = Readonly<{
  pool: string;
  agent: string;
  agentUID: string;
  /** 0 to 100 by load and health; the order depends on more (`order.ts`). */
  score: number;
  /** Its place among those that may be asked from the same instant on; 0 is the first. */
  turn: number;
  /** Of a fallback pool: since when it may be used. Milliseconds since 1970. */
  opensAtMs: number | undefined;
}>;

export type PassedOver = Readonly<{
  pool: string;
  /** Absent where the whole pool is passed over. */
  agent: string | undefined;
  because: Because;
}>;

export type Placement = Readonly<{
  wanted: Amounts;
  regions: Demand['regions'];
  types: Demand['types'];
  /** The first choice first. */
  candidates: readonly Candidate[];
  passedOver: readonly PassedOver[];
  /** A pause after a failure: nobody may claim before. */
  notBeforeMs: number | undefined;
  /** After an expiry this agent goes first, until then. */
  takeover: Demand['takeover'];
  /** When this was found, and when it may be another answer though nothing happens. */
  nowMs: number;
  againAtMs: number | undefined;
}>;

export type PlaceFacts = DemandFacts & Readonly<{ supply: Supply }>;

export function place(contract: Contract, { supply, ...facts }: PlaceFacts): Placement {
  const demand = demandOf(contract, facts);
  const pools = supply.pools.get(demand.namespace) ?? [];
  const { routes, refused } = routesOf(demand, pools);
  const found = { ranked: [] as Ranked[], passedOver: [] as PassedOver[], againAtMs: demand.notBeforeMs };
  for (const route of routes) lookInto(route, { demand, found });
  for (const { pool, because } of refused) found.passedOver.push(wholePool(pool, because));
  for (const { spec, metadata } of supply.strays.get(demand.namespace) ?? [])
    found.passedOver.push({
      pool: spec.poolName,
      agent: metadata.name,
      because: { reason: 'PoolNotFound' },
    });
  const { wanted, regions, types, notBeforeMs, takeover, nowMs } = demand;
  const candidates = inTurn(found.ranked.sort(byRank), takeover?.agentUID);
  // The one that goes first must be there: otherwise anybody may claim at once.
  const first = candidates.some(({ agentUID }) => agentUID === takeover?.agentUID) ? takeover : undefined;
  return {
    ...{ wanted, regions, types, candidates, passedOver: found.passedOver, notBeforeMs, nowMs },
    takeover: first,
    againAtMs: first ? earlier(found.againAtMs, first.untilMs) : found.againAtMs,
  };
}

/** The same for one agent alone, at a thousandth of the cost; undefined when it may take the contract. */
export function whyNot(
  contract: Contract,
  { supply, agentUID, ...facts }: PlaceFacts & Readonly<{ agentUID: string }>,
): Because | undefined {
  const demand = demandOf(contract, facts);
  const pools = supply.pools.get(demand.namespace) ?? [];
  const isIts = ({ agents }: PreparedPool): boolean => agents.some(({ uid }) => uid === agentUID);
  const { routes, refused } = routesOf(demand, pools);
  const away = refused.find(({ pool }) => isIts(pool));
  if (away) return away.because;
  const route = routes.find(({ pool }) => isIts(pool));
  const agent = route?.pool.agents.find(({ uid }) => uid === agentUID);
  if (!route || !agent) return { reason: 'PoolNotFound' };
  return refusalOf({ demand, route, agent, standing: standingAt(agent.record, demand.nowMs) });
}

type Ranked = Readonly<{
  pool: string;
  agent: string;
  agentUID: string;
  opensAtMs: number | undefined;
  rank: Rank;
}>;
type Found = { ranked: Ranked[]; passedOver: PassedOver[]; againAtMs: number | undefined };

function lookInto(route: Route, { demand, found }: Readonly<{ demand: Demand; found: Found }>): void {
  const { agents, pool: object } = route.pool;
  const pool = object.metadata.name;
  if (agents.length === 0) found.passedOver.push(wholePool(route.pool, { reason: 'NoAgents' }));
  for (const agent of agents) {
    const pair = { demand, route, agent, standing: standingAt(agent.record, demand.nowMs) };
    const { name } = agent.agent.metadata;
    const because = refusalOf(pair);
    found.againAtMs = earlier(found.againAtMs, pair.standing.changesAtMs);
    if (because) {
      found.passedOver.push({ pool, agent: name, because });
      found.againAtMs = earlier(found.againAtMs, endsAtMs(because));
    } else {
      const opensAtMs = route.opens?.atMs;
      found.ranked.push({ pool, agent: name, agentUID: agent.uid, opensAtMs, rank: rankOf(pair) });
    }
  }
}

/** Each fallback pool has turns of its own, from the instant that it opens. */
function inTurn(ranked: readonly Ranked[], goesFirst: string | undefined): Candidate[] {
  const turns = new Map<number | undefined, number>();
  return ranked.map(({ rank, ...entry }) => {
    const isFirst = entry.agentUID === goesFirst;
    const turn = isFirst ? 0 : (turns.get(entry.opensAtMs) ?? 0);
    if (!isFirst) turns.set(entry.opensAtMs, turn + 1);
    return { ...entry, score: rank.score, turn };
  });
}

const wholePool = ({ pool }: PreparedPool, because: Because): PassedOver => ({
  pool: pool.metadata.name,
  agent: undefined,
  because,
});

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
