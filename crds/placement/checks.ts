/**
 * Why an agent on a way to a contract is passed over: a chain of checks, the first that refuses is told. What can
 * never change by waiting comes first, then the state of the agent, room, the tenant's wish, and at last its pool,
 * so that "from 14:07 on" is only said of who could take it then.
 */
import { firstLack, minus, NOTHING } from './amounts.ts';
import type { Demand } from './demand.ts';
import type { Standing } from './health.ts';
import { type Because, SHORTAGE_OF } from './reasons.ts';
import type { Route } from './routes.ts';
import { showCondition, unmet } from './selector.ts';
import { breakerIsOpen, inMaintenance, poolIsGoing, poolIsPaused } from './shut.ts';
import type { PreparedAgent } from './supply.ts';

export type Pair = Readonly<{ demand: Demand; route: Route; agent: PreparedAgent; standing: Standing }>;

/** Undefined when the agent may take it. */
export const refusalOf = (pair: Pair): Because | undefined =>
  poolIsGoing(pair.route.pool.pool) ??
  pair.agent.fitness.unfit ??
  lacksWhatIsAsked(pair) ??
  isTooSmall(pair) ??
  hasGivenUp(pair) ??
  pair.agent.fitness.away ??
  inMaintenance(pair.agent.windows, pair.demand.nowMs) ??
  isUnwell(pair) ??
  pair.agent.fitness.outdated ??
  lacksRoom(pair) ??
  isBusy(pair) ??
  isNotApart(pair) ??
  poolIsClosed(pair);

function lacksWhatIsAsked({ demand: { requirements }, agent: { agent } }: Pair): Because | undefined {
  if (!requirements) return undefined;
  const { metadata, status } = agent;
  const condition = unmet(metadata.labels ?? {}, requirements.selector);
  if (condition) return { reason: 'LabelMismatch', condition: showCondition(condition) };
  const capability = requirements.capabilities?.find((word) => !status?.capabilities?.includes(word));
  if (capability !== undefined) return { reason: 'MissingCapability', capability };
  const { storageClass } = requirements;
  if (storageClass !== undefined && !status?.storageClasses?.includes(storageClass))
    return { reason: 'MissingStorageClass', storageClass };
  return undefined;
}

/** Even empty it would not hold it: waiting for room does not help. */
function isTooSmall({ demand: { wanted }, agent: { capacity } }: Pair): Because | undefined {
  const dimension = firstLack({ total: capacity, used: NOTHING, wanted });
  if (dimension === undefined) return undefined;
  return { reason: 'TooSmall', dimension, total: capacity[dimension], wanted: wanted[dimension] };
}

/** It said that it cannot build this contract: it is not asked again in this round. */
function hasGivenUp({ demand: { finalWords }, agent: { uid } }: Pair): Because | undefined {
  const last = finalWords.get(uid);
  return last && { reason: 'FailedForGood', epoch: last.epoch, class: last.class };
}

function isUnwell({ agent: { load }, standing: { breaker } }: Pair): Because | undefined {
  if (breaker.state !== 'HalfOpen') return breakerIsOpen(breaker);
  return load.unproven > 0 ? { reason: 'OnTrial', failures: breaker.failures } : undefined;
}

/** What the agent holds of this very contract, from an earlier grant, is no room that is lacking. */
function lacksRoom({
  demand: { wanted, heldBy },
  agent: { uid, capacity, load },
}: Pair): Because | undefined {
  const used = heldBy.has(uid) ? minus(load.used, wanted) : load.used;
  const dimension = firstLack({ total: capacity, used, wanted });
  if (dimension === undefined) return undefined;
  const total = capacity[dimension];
  const free = Math.max(0, total - used[dimension]);
  return { reason: SHORTAGE_OF[dimension], free, total, wanted: wanted[dimension] };
}

/** However much room it has, or says nothing of: who locks what waits and builds nothing keeps it from the others. */
function isBusy({ agent: { load, buildsMax } }: Pair): Because | undefined {
  const { building } = load;
  return building < buildsMax ? undefined : { reason: 'TooManyBuilds', building, most: buildsMax };
}

function isNotApart({ demand: { apart }, agent: { uid } }: Pair): Because | undefined {
  return apart?.isRequired && apart.agents.has(uid)
    ? { reason: 'AntiAffinity', group: apart.group }
    : undefined;
}

function poolIsClosed({ demand: { nowMs }, route: { pool, opens } }: Pair): Because | undefined {
  const paused = poolIsPaused(pool.pool);
  if (paused) return paused;
  if (!opens || nowMs >= opens.atMs) return undefined;
  return { reason: 'FallbackLater', opensAtMs: opens.atMs, afterSeconds: opens.afterSeconds };
}
