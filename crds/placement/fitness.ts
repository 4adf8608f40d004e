/**
 * What stands against an agent whatever the contract is, found out once while it is prepared: by what it is, by the
 * state that it is in, by its version. `checks.ts` tells each at its place in the chain.
 */
import type { AgentPool } from '../agent-pool.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { Because } from './reasons.ts';
import { compareVersions } from './version.ts';

export type Fitness = Readonly<{
  /** It is no agent that could ever build here. */
  unfit: Because | undefined;
  /** It takes no work at the moment. */
  away: Because | undefined;
  outdated: Because | undefined;
}>;

export const fitnessOf = (facts: AgentFacts, pool: AgentPool): Fitness => ({
  unfit: unfitFor(facts, pool),
  away: awayFrom(facts),
  outdated: outdatedFor(facts, pool),
});

function unfitFor({ agent }: AgentFacts, pool: AgentPool): Because | undefined {
  const { metadata, spec, status } = agent;
  if (spec.revoked || metadata.deletionTimestamp) return { reason: 'AgentRevoked' };
  if (!spec.permissions.includes('provision')) return { reason: 'MissingPermission' };
  const said = status?.provisionerType;
  const wanted = pool.spec.provisionerType;
  return said !== undefined && said !== wanted ? { reason: 'AgentTypeMismatch', said, wanted } : undefined;
}

function awayFrom({ agent: { spec, status }, presence }: AgentFacts): Because | undefined {
  if (spec.cordoned) {
    const sinceMs = status?.cordonedSince ? Date.parse(status.cordonedSince) : undefined;
    return { reason: 'AgentCordoned', note: spec.cordonReason, by: spec.cordonedBy, sinceMs };
  }
  if (spec.draining) return { reason: 'AgentDraining' };
  if (presence === 'Duplicate') return { reason: 'DuplicateAgent' };
  if (presence === 'Offline') {
    const online = status?.conditions?.find(({ type }) => type === 'Online');
    const sinceMs = online?.status === 'False' ? Date.parse(online.lastTransitionTime) : undefined;
    return { reason: 'AgentOffline', sinceMs };
  }
  // What it said itself. A breaker is judged by the failures themselves: it closes by time, whoever wrote what.
  const said = status?.unhealthy;
  return said && { reason: 'AgentUnhealthy', message: said.message };
}

function outdatedFor({ agent }: AgentFacts, pool: AgentPool): Because | undefined {
  const { minVersion } = pool.spec;
  const version = agent.status?.version;
  if (minVersion === undefined || (version !== undefined && compareVersions(version, minVersion) >= 0))
    return undefined;
  return { reason: 'VersionTooOld', version, minVersion };
}
