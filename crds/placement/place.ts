/**
 * Where a contract is built: all agents that may take it, the first choice first, and of every other pool and agent
 * of its namespace why not. Pure: the same facts give the same answer in every process. `head-start.ts` says who
 * of them may claim when, `explain.ts` why nobody does.
 */
import type { Contract } from '../contract/contract.ts';
import { changesAtMs } from '../maintenance.ts';
import type { Amounts } from './amounts.ts';
import { refusalOf } from './checks.ts';
import { type Demand, type DemandFacts, demandOf } from './demand.ts';
import { standingAt } from './health.ts';
import { byRank, type Rank, rankOf, routeKeyOf } from './order.ts';
import { type Because, endsAtMs } from './reasons.ts';
import { type Route, routesOf } from './routes.ts';
import type { PreparedPool, Supply } from './supply.ts';

export type Candidate = Readonly<{
  pool: string;
  agent: string;
  agentUID: string;
  /** 0 to 100 by load and health; the order depends on more (`order.ts`). */
  score: number;
  /** Not before, whatever it is: its pool is a fallback, or others go first. Milliseconds since 1970; 0: at once. */
  earliestMs: number;
  /** Its place among those of the same earliestMs; 0 is the first. */
  turn: number;
}>;

export type PassedOver = Readonly<{
  pool: string;
  /** Absent where the whole pool is passed over. */
  agent: string | undefined;
  /** Where the whole pool is: so many agents it has, those that were revoked not counted. */
  agents?: number | undefined;
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
  /** Nobody may after that: it ends. Milliseconds since 1970. */
  untilMs: number;
  /** The last attempt ended because its machine had no room after all. */
  hadNoRoom: boolean;
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
  const { wanted, regions, types, notBeforeMs, untilMs, hadNoRoom, takeover, nowMs } = demand;
  // The one that goes first must be there: otherwise anybody may claim at once.
  const isThere = found.ranked.some(({ agentUID }) => agentUID === takeover?.agentUID);
  const first = isThere ? takeover : undefined;
  const candidates = inTurn(found.ranked.sort(byRank), { demand, first });
  return {
    ...{ wanted, regions, types, candidates, passedOver: found.passedOver },
    ...{ notBeforeMs, untilMs, hadNoRoom, nowMs },
    againAtMs: first ? earlier(found.againAtMs, first.untilMs) : found.againAtMs,
  };
}

/** The same for one agent alone, without looking at the others; undefined when it may take the contract. */
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

type Ranked = Rank & Readonly<{ pool: string; agent: string; opensAtMs: number }>;
type Found = { ranked: Ranked[]; passedOver: PassedOver[]; againAtMs: number | undefined };

function lookInto(route: Route, { demand, found }: Readonly<{ demand: Demand; found: Found }>): void {
  const { agents, pool: object } = route.pool;
  const pool = object.metadata.name;
  const opensAtMs = route.opens?.atMs ?? 0;
  const routeKey = routeKeyOf(route);
  if (agents.length === 0)
    found.passedOver.push(
      wholePool(route.pool, { reason: object.metadata.deletionTimestamp ? 'PoolDeleting' : 'NoAgents' }),
    );
  for (const agent of agents) {
    const pair = { demand, route, agent, standing: standingAt(agent.record, demand.nowMs) };
    const { name } = agent.agent.metadata;
    const because = refusalOf(pair);
    found.againAtMs = earlier(found.againAtMs, pair.standing.changesAtMs);
    for (const windows of [agent.windows.own, agent.windows.pool])
      found.againAtMs = earlier(found.againAtMs, changesAtMs(windows, demand.nowMs));
    if (because) {
      found.passedOver.push({ pool, agent: name, because });
      found.againAtMs = earlier(found.againAtMs, endsAtMs(because));
    } else {
      const { agentUID, score, key, tie } = rankOf(pair, routeKey);
      found.ranked.push({ pool, agent: name, opensAtMs, agentUID, score, key, tie });
    }
  }
}

type Turns = Readonly<{ demand: Demand; first: Demand['takeover'] }>;

/** Those who may not be asked before some instant have turns of their own from then on. */
function inTurn(ranked: readonly Ranked[], { demand, first }: Turns): Candidate[] {
  const { failedOn, othersFirstUntilMs = 0 } = demand;
  const othersCould = ranked.some(({ agentUID }) => !failedOn.has(agentUID));
  const turns = new Map<number, number>();
  return ranked.map(({ pool, agent, agentUID, opensAtMs, score }) => {
    const isFirst = agentUID === first?.agentUID;
    const waitsForOthers = othersCould && failedOn.has(agentUID) ? othersFirstUntilMs : 0;
    const earliestMs = isFirst ? 0 : Math.max(opensAtMs, waitsForOthers, first?.untilMs ?? 0);
    const turn = isFirst ? 0 : (turns.get(earliestMs) ?? 0);
    if (!isFirst) turns.set(earliestMs, turn + 1);
    return { pool, agent, agentUID, score, earliestMs, turn };
  });
}

const wholePool = ({ pool, agents }: PreparedPool, because: Because): PassedOver => ({
  pool: pool.metadata.name,
  agent: undefined,
  agents: agents.reduce((sum, { agent }) => sum + (agent.spec.revoked ? 0 : 1), 0),
  because,
});

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
