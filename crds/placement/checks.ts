/**
 * Why an agent on a way to a contract is passed over: a chain of checks, the first that refuses is told. What can
 * never change by waiting comes first, then the state of the agent, room, the tenant's wish, and at last its pool,
 * so that "from 14:07 on" is only said of who could take it then.
 */
import { isTrue } from '../condition.ts';
import { DIMENSIONS, minus } from './amounts.ts';
import type { Demand } from './demand.ts';
import type { Standing } from './health.ts';
import { type Because, SHORTAGE_OF } from './reasons.ts';
import type { Route } from './routes.ts';
import { showCondition, unmet } from './selector.ts';
import type { PreparedAgent } from './supply.ts';
import { compareVersions } from './version.ts';

export type Pair = Readonly<{ demand: Demand; route: Route; agent: PreparedAgent; standing: Standing }>;
type Check = (pair: Pair) => Because | undefined;

/** Undefined when the agent may take it. */
export function refusalOf(pair: Pair): Because | undefined {
  for (const check of CHECKS) {
    const because = check(pair);
    if (because) return because;
  }
  return undefined;
}

const joined: Check = ({ agent: { agent } }) => {
  const { metadata, spec } = agent;
  if (spec.revoked || metadata.deletionTimestamp) return { reason: 'AgentRevoked' };
  return spec.permissions.includes('provision') ? undefined : { reason: 'MissingPermission' };
};

const builds: Check = ({ agent: { agent }, route: { pool } }) => {
  const said = agent.status?.provisionerType;
  const wanted = pool.pool.spec.provisionerType;
  return said !== undefined && said !== wanted ? { reason: 'AgentTypeMismatch', said, wanted } : undefined;
};

const hasWhatIsAsked: Check = ({ demand: { requirements }, agent: { agent } }) => {
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
};

/** Even empty it would not hold it: waiting for room does not help. */
const isLargeEnough: Check = ({ demand: { wanted }, agent: { capacity } }) => {
  for (const dimension of DIMENSIONS) {
    const total = capacity[dimension];
    if (total !== undefined && wanted[dimension] > total)
      return { reason: 'TooSmall', dimension, total, wanted: wanted[dimension] };
  }
  return undefined;
};

/** It said that it cannot build this contract: it is not asked again in this round. */
const hasNotGivenUp: Check = ({ demand: { finalWords }, agent: { uid } }) => {
  const last = finalWords.get(uid);
  return last && { reason: 'FailedForGood', epoch: last.epoch, class: last.class };
};

const takesWork: Check = ({ agent: { agent, presence } }) => {
  const { spec, status } = agent;
  if (spec.cordoned) return { reason: 'AgentCordoned', note: spec.cordonReason };
  if (spec.draining) return { reason: 'AgentDraining' };
  if (presence === 'Duplicate') return { reason: 'DuplicateAgent' };
  if (presence === 'Online') return undefined;
  const online = status?.conditions?.find(({ type }) => type === 'Online');
  const sinceMs = online?.status === 'False' ? Date.parse(online.lastTransitionTime) : undefined;
  return { reason: 'AgentOffline', sinceMs };
};

const isWell: Check = ({ agent: { agent, load }, standing: { breaker } }) => {
  const healthy = agent.status?.conditions?.find(({ type }) => type === 'Healthy');
  if (healthy && !isTrue([healthy], 'Healthy')) return { reason: 'AgentUnhealthy', message: healthy.message };
  if (breaker.state === 'Closed') return undefined;
  const { failures } = breaker;
  if (breaker.state === 'Open') return { reason: 'BreakerOpen', failures, untilMs: breaker.untilMs };
  return load.unproven > 0 ? { reason: 'OnTrial', failures } : undefined;
};

const isNewEnough: Check = ({ agent: { agent }, route: { pool } }) => {
  const { minVersion } = pool.pool.spec;
  const version = agent.status?.version;
  if (minVersion === undefined || (version !== undefined && compareVersions(version, minVersion) >= 0))
    return undefined;
  return { reason: 'VersionTooOld', version, minVersion };
};

/** What the agent holds of this very contract, from an earlier grant, is no room that is lacking. */
const hasRoom: Check = ({ demand: { wanted, heldBy }, agent: { uid, capacity, load } }) => {
  const used = heldBy.has(uid) ? minus(load.used, wanted) : load.used;
  for (const dimension of DIMENSIONS) {
    const total = capacity[dimension];
    if (total === undefined || wanted[dimension] === 0 || used[dimension] + wanted[dimension] <= total)
      continue;
    const free = Math.max(0, total - used[dimension]);
    return { reason: SHORTAGE_OF[dimension], free, total, wanted: wanted[dimension] };
  }
  return undefined;
};

const isApart: Check = ({ demand: { apart }, agent: { uid } }) =>
  apart?.isRequired && apart.agents.has(uid) ? { reason: 'AntiAffinity', group: apart.group } : undefined;

const poolIsOpen: Check = ({ demand: { nowMs }, route: { pool, opens } }) => {
  if (pool.pool.metadata.deletionTimestamp) return { reason: 'PoolDeleting' };
  if (pool.pool.spec.paused) return { reason: 'PoolPaused' };
  if (!opens || nowMs >= opens.atMs) return undefined;
  return { reason: 'FallbackLater', opensAtMs: opens.atMs, afterSeconds: opens.afterSeconds };
};

const CHECKS: readonly Check[] = [
  joined,
  builds,
  hasWhatIsAsked,
  isLargeEnough,
  hasNotGivenUp,
  takesWork,
  isWell,
  isNewEnough,
  hasRoom,
  isApart,
  poolIsOpen,
];
