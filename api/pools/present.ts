/** Pools and setup tokens as the API shows them. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { SetupToken } from '../../crds/setup-token.ts';
import type { PoolView, SetupTokenView } from '../../crds/wire/pools.ts';
import { isOnline } from '../agents/online.ts';
import type { Deps } from '../deps.ts';

export function presentPool(
  deps: Deps,
  { pool, providerKey }: Readonly<{ pool: AgentPool; providerKey: string }>,
): PoolView {
  const { metadata, spec, status } = pool;
  const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
  const agents = deps.caches.agents.inPool(ref).filter((agent) => !agent.spec.revoked);
  return {
    poolId: metadata.name,
    displayName: spec.displayName ?? metadata.name,
    location: spec.location,
    provisionerType: spec.provisionerType,
    providerPubkey: providerKey,
    createdAt: metadata.creationTimestamp ?? '',
    agents: agents.length,
    online: agents.filter((agent) => isOnline(deps, agent)).length,
    activeContracts: status?.activeContracts ?? 0,
  };
}

export function presentToken({ metadata, spec, status }: SetupToken): SetupTokenView {
  return {
    tokenId: metadata.name,
    prefix: spec.prefix,
    poolId: spec.poolName,
    label: spec.label ?? null,
    createdAt: metadata.creationTimestamp ?? '',
    expiresAt: spec.expiresAt,
    usedAt: status?.usedAt ?? null,
    usedByAgent: status?.usedByKey ?? null,
  };
}
