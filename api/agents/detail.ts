/** One agent in full, for its provider: what it has, what is planned for it, what remains on it and why. */
import type { Agent } from '../../crds/agent.ts';
import { type Upgrade, upgradeOf } from '../../crds/agent-upgrade.ts';
import type { Condition } from '../../crds/condition.ts';
import { contractIdOf } from '../../crds/contract/contract.ts';
import { isToBeEmpty, remainingOf } from '../../crds/contract/remaining.ts';
import { endsAtOf } from '../../crds/contract/term.ts';
import { isOver } from '../../crds/maintenance.ts';
import { type AgentDetail, labelsOfPeople, type RemainingView } from '../../crds/wire/agents.ts';
import type { Deps } from '../deps.ts';
import { presentAgent } from './present.ts';

export function presentAgentDetail(deps: Deps, agent: Agent): AgentDetail {
  const { metadata, spec, status } = agent;
  const now = deps.clock.now();
  const pool = deps.caches.pools.get({ namespace: metadata.namespace ?? '', name: spec.poolName });
  const windows = [...(spec.maintenance ?? []), ...(pool?.spec.maintenance ?? [])];
  const { cpu, memory, storage, gpu, instances } = status?.resources ?? {};
  return {
    ...presentAgent(deps, agent),
    labels: labelsOfPeople(metadata.labels),
    cordonReason: spec.cordonReason ?? null,
    cordonedBy: spec.cordonedBy ?? null,
    cordonedSince: (spec.cordoned ? status?.cordonedSince : undefined) ?? null,
    health: presentHealth(status?.conditions),
    drainBy: (spec.draining ? spec.drainBy : undefined) ?? null,
    remaining: isToBeEmpty(agent) ? remainingFor(deps, agent) : null,
    maintenance: windows.filter((window) => !isOver(window, now.getTime())),
    upgrade: presentUpgrade(pool ? upgradeOf({ agent, pool, now }) : { state: 'UpToDate' }),
    resources: {
      cpu: cpu ?? null,
      memory: memory ?? null,
      storage: storage ?? null,
      gpu: gpu ?? null,
      instances: instances ?? null,
    },
    capabilities: status?.capabilities ?? [],
    storageClasses: status?.storageClasses ?? [],
  };
}

function presentHealth(conditions: readonly Condition[] | undefined): AgentDetail['health'] {
  const said = conditions?.find(({ type }) => type === 'Healthy');
  if (!said) return null;
  const { reason, message, lastTransitionTime } = said;
  return { healthy: said.status === 'True', reason, message, since: lastTransitionTime };
}

/** All of them; Agent.status names some. */
function remainingFor({ caches, clock }: Deps, agent: Agent): RemainingView[] {
  const now = clock.now();
  const contracts = caches.contracts.heldBy(agent.metadata.uid ?? '');
  return remainingOf(agent, { contracts, now }).map(({ contract, reason, message }) => ({
    contractId: contractIdOf(contract.metadata.uid ?? ''),
    name: contract.metadata.name,
    phase: contract.status.phase,
    reason,
    message,
    endsAt: endsAtOf(contract, now) ?? null,
  }));
}

function presentUpgrade(upgrade: Upgrade): AgentDetail['upgrade'] {
  switch (upgrade.state) {
    case 'UpToDate':
      return { state: upgrade.state, toVersion: null, notBefore: null };
    case 'TooOld':
      return { state: upgrade.state, toVersion: upgrade.minVersion, notBefore: null };
    case 'Planned':
    case 'Announced':
      return { state: upgrade.state, toVersion: upgrade.toVersion, notBefore: upgrade.notBefore ?? null };
  }
}
