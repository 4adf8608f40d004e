/** Whether an agent is there: its heartbeat Lease is young. By this process's clock; Agent.status follows later. */
import type { Agent } from '../../crds/agent.ts';
import { SESSION_ANNOTATIONS } from '../../crds/agent-session.ts';
import { ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import type { Deps } from '../deps.ts';

type Needs = Pick<Deps, 'caches' | 'clock'>;

export function isLeaseFresh({ caches, clock }: Needs, agentUid: string): boolean {
  const { metadata, spec } = caches.leases.ofAgent(agentUid) ?? {};
  const renewedAt = spec?.renewTime;
  if (renewedAt === undefined || metadata?.annotations?.[SESSION_ANNOTATIONS.left] === 'true') return false;
  return clock.now().getTime() - Date.parse(renewedAt) < ONLINE_WITHIN_MS;
}

export const isOnline = (deps: Needs, { metadata, spec }: Agent): boolean =>
  !spec.revoked && isLeaseFresh(deps, metadata.uid ?? '');
