/** An agent as its provider sees it. */
import type { Agent } from '../../crds/agent.ts';
import { sessionRecordOf } from '../../crds/agent-session.ts';
import { isEnding } from '../../crds/contract/phase.ts';
import type { AgentView } from '../../crds/wire/pools.ts';
import type { Deps } from '../deps.ts';
import { isOnline } from './online.ts';

export function presentAgent(deps: Deps, agent: Agent): AgentView {
  const { metadata, spec, status } = agent;
  const uid = metadata.uid ?? '';
  const lease = deps.caches.leases.ofAgent(uid);
  const heardAt = lease?.spec.renewTime;
  const held = deps.caches.contracts.heldBy(uid);
  return {
    agentName: metadata.name,
    agentPubkey: spec.publicKey,
    label: spec.label ?? null,
    poolId: spec.poolName,
    permissions: spec.permissions,
    online: isOnline(deps, agent),
    version: status?.version ?? null,
    activeContracts: held.filter(({ status: of }) => of !== undefined && !isEnding(of.phase)).length,
    free: status?.free ?? {},
    lastSeenAt: heardAt ? new Date(heardAt).toISOString() : (status?.lastSeenAt ?? null),
    cordoned: spec.cordoned,
    draining: spec.draining,
    revoked: spec.revoked,
    problem: problemOf(agent, sessionRecordOf(lease?.metadata.annotations, heardAt)?.duplicateSince),
  };
}

function problemOf({ spec, status }: Agent, duplicateSince: string | undefined): AgentView['problem'] {
  if (spec.revoked) return { reason: 'Revoked', message: 'It was revoked; its key is refused.' };
  if (duplicateSince)
    return {
      reason: 'DuplicateAgent',
      message: `Two processes use its key since ${duplicateSince}: a cloned machine? Stop one of them.`,
    };
  const wrong = ['Ready', 'Unique', 'Clean'].flatMap(
    (type) => status?.conditions?.find((it) => it.type === type && it.status === 'False') ?? [],
  )[0];
  return wrong ? { reason: wrong.reason, message: wrong.message } : null;
}
