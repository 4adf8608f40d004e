/** Whether an agent is there: its heartbeat Lease is young. By this process's clock; Agent.status follows later. */
import type { Agent } from '../../crds/agent.ts';
import { ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import type { Deps } from '../deps.ts';

type Needs = Pick<Deps, 'caches' | 'clock'>;

export function isLeaseFresh({ caches, clock }: Needs, agentUid: string): boolean {
  const renewedAt = caches.leases.ofAgent(agentUid)?.spec.renewTime;
  return renewedAt !== undefined && clock.now().getTime() - Date.parse(renewedAt) < ONLINE_WITHIN_MS;
}

export const isOnline = (deps: Needs, { metadata, spec }: Agent): boolean =>
  !spec.revoked && isLeaseFresh(deps, metadata.uid ?? '');
