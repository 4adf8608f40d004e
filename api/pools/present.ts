/** Pools and setup tokens as the API shows them. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { SetupToken } from '../../crds/setup-token.ts';
import type { PoolSettings } from '../../crds/wire/pool-settings.ts';
import type { PoolView, SetupTokenView } from '../../crds/wire/pools.ts';
import { isOnline } from '../agents/online.ts';
import type { Deps } from '../deps.ts';

export function presentPool(
  deps: Deps,
  { pool, providerKey }: Readonly<{ pool: AgentPool; providerKey: string }>,
): PoolView {
  const { metadata, spec, status } = pool;
  const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
  const attempts24h = status?.attempts24h ?? { succeeded: 0, failed: 0 };
  const tried = attempts24h.succeeded + attempts24h.failed;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
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
    waitingContracts: status?.waitingContracts ?? 0,
    free: status?.free ?? {},
    attempts24h,
    successRate24h: tried === 0 ? null : attempts24h.succeeded / tried,
    ready: ready?.status === 'True',
    message: ready?.message ?? null,
    conditions: [...(status?.conditions ?? [])],
    settings: presentSettings(spec),
  };
}

function presentSettings({ placement, ...spec }: AgentPool['spec']): PoolSettings {
  return {
    paused: spec.paused,
    priority: spec.priority,
    fallbackPools: [...(spec.fallbackPools ?? [])],
    lockTTLSeconds: spec.lockTTLSeconds,
    strategy: placement?.strategy ?? 'Spread',
    instancesPerAgent: placement?.instancesPerAgent ?? null,
    buildsPerAgent: placement?.buildsPerAgent ?? null,
    overcommit: placement?.overcommit ?? null,
    minVersion: spec.minVersion ?? null,
    upgrade: spec.upgrade ?? null,
    maintenance: [...(spec.maintenance ?? [])],
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
