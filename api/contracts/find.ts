/** A tenant's own contract, live or archived. Somebody else's does not exist: 404, never 403. */
import { type Contract, uidOfContractId } from '../../crds/contract/contract.ts';
import type { Deps } from '../deps.ts';
import { contractGone } from '../http/refusals.ts';
import { untilCached, WAKE } from '../wake.ts';

export type Found = Readonly<{ contract: Contract; archived: boolean }>;

type Asked = Readonly<{ id: string; tenant: string }>;

/** Undefined when the cluster does not have it. One that was just made elsewhere is waited for. */
export async function findLive(deps: Deps, { id, tenant }: Asked): Promise<Contract | undefined> {
  const uid = uidOfContractId(id) ?? '';
  const cached = (): Contract | undefined => deps.caches.contracts.byUid(uid);
  await untilCached(deps, { keys: [WAKE.contract(uid)], isThere: () => cached() !== undefined });
  const contract = cached();
  if (!contract) return undefined;
  if (contract.spec.tenant.publicKey !== tenant) throw contractGone();
  return contract;
}

/** Throws Problem NotFound, or StoreUnavailable where only the archive could tell. */
export async function findAnywhere(deps: Deps, asked: Asked): Promise<Found> {
  const live = await findLive(deps, asked);
  if (live) return { contract: live, archived: false };
  const archived = await deps.store.archive.get(uidOfContractId(asked.id) ?? '');
  if (archived?.contract.spec.tenant.publicKey !== asked.tenant) throw contractGone();
  return { contract: archived.contract, archived: true };
}
