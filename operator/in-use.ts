/**
 * The finalizer of a pool, an offering and a provider: put on when they are first seen, taken off once they were
 * deleted and nobody uses them. No garbage collector is relied on. What the caches call free is looked up live
 * before it goes, since an agent may have joined a moment ago.
 */
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import type { Contract } from '../crds/contract/contract.ts';
import { IN_USE_FINALIZER } from '../crds/group.ts';
import { isUsed, NOT_ENDED, type Uses } from '../crds/in-use.ts';
import type { Offering } from '../crds/offering.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ResourceClient } from '../kube/resource.ts';
import type { Clients } from './clients.ts';

export type Keeping =
  /** It was written, or goes: a change of it follows, or nothing any more. */
  | Readonly<{ next: 'Nothing' }>
  /** `uses` only when it was deleted, and is still used. */
  | Readonly<{ next: 'Status'; uses: Uses | undefined }>;

type Kept<T> = Readonly<{
  resource: ResourceClient<T & KubeObject>;
  object: T;
  /** From the caches. */
  uses: () => Uses;
  /** From the API server. */
  usesLive: () => Promise<Uses>;
  signal: AbortSignal;
}>;

export async function keepWhileUsed<T extends KubeObject>(kept: Kept<T>): Promise<Keeping> {
  const { resource, object, signal } = kept;
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const isOurs = finalizers.includes(IN_USE_FINALIZER);
  const withFinalizers = (names: readonly string[]) =>
    resource.update({ ...object, metadata: { ...object.metadata, finalizers: names } }, { signal });
  if (!deletionTimestamp) {
    if (isOurs) return { next: 'Status', uses: undefined };
    await withFinalizers([...finalizers, IN_USE_FINALIZER]);
    return { next: 'Nothing' };
  }
  // Deleted before we saw it, or somebody took it off by hand: it is not ours to keep.
  if (!isOurs) return { next: 'Nothing' };
  const uses = kept.uses();
  if (isUsed(uses)) return { next: 'Status', uses };
  const live = await kept.usesLive();
  if (isUsed(live)) return { next: 'Status', uses: live };
  await withFinalizers(finalizers.filter((name) => name !== IN_USE_FINALIZER));
  return { next: 'Nothing' };
}

export type Users = Readonly<{
  agents: readonly Agent[];
  offerings: readonly Offering[];
  contracts: readonly Contract[];
  pools: readonly AgentPool[];
}>;

const PAGE = 500;

/** Everything of a namespace that may use something else of it; ended contracts are left out. */
export async function usersLive(
  clients: Clients,
  { namespace, signal }: Readonly<{ namespace: string; signal: AbortSignal }>,
): Promise<Users> {
  const all = async <T extends KubeObject>(
    resource: ResourceClient<T>,
    fieldSelector?: string,
  ): Promise<readonly T[]> => {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const page = await resource.list({ namespace, limit: PAGE, continue: next, fieldSelector }, { signal });
      items.push(...page.items);
      next = page.continue;
    } while (next);
    return items;
  };
  const [agents, offerings, contracts, pools] = await Promise.all([
    all(clients.agents),
    all(clients.offerings),
    all(clients.contracts, NOT_ENDED),
    all(clients.pools),
  ]);
  return { agents, offerings, contracts, pools };
}
