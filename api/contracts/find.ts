/** A tenant's own contract, or one of a provider's namespace, live or archived. Any other does not exist: 404, never 403. */
import { type Contract, uidOfContractId } from '../../crds/contract/contract.ts';
import { Problem } from '../../crds/problem.ts';
import type { Deps } from '../deps.ts';
import { contractGone } from '../http/refusals.ts';
import { untilCached, WAKE } from '../wake.ts';

export type Found = Readonly<{ contract: Contract; archived: boolean }>;

type Asked = Readonly<{
  id: string;
  /** Public key. */
  tenant: string;
  /** The caller's own, where it is a provider. */
  namespace?: string | undefined;
}>;

/**
 * Throws Problem NotFound, or StoreUnavailable where only the archive could tell. The archive is asked before a
 * contract that another facade has just made is waited for: who reads old ones should not wait each time.
 */
export async function findAnywhere(deps: Deps, asked: Asked): Promise<Found> {
  const uid = uidOfContractId(asked.id) ?? '';
  const live = deps.caches.contracts.byUid(uid);
  if (live) return own({ contract: live, archived: false }, asked);
  const looked = await lookInArchive(deps, uid);
  if (looked.outcome === 'Found') return own({ contract: looked.contract, archived: true }, asked);
  const isThere = (): boolean => deps.caches.contracts.byUid(uid) !== undefined;
  await untilCached(deps, { keys: [WAKE.contract(uid)], isThere });
  const made = deps.caches.contracts.byUid(uid);
  if (made) return own({ contract: made, archived: false }, asked);
  if (looked.outcome === 'Unavailable') throw looked.problem;
  throw contractGone();
}

/** One that can still be changed. Throws Problem IllegalMove for one that is in the archive. */
export async function findLive(deps: Deps, asked: Asked): Promise<Contract> {
  const { contract, archived } = await findAnywhere(deps, asked);
  if (archived) throw hasEnded(contract);
  return contract;
}

export const hasEnded = ({ metadata, status }: Contract): Problem =>
  new Problem('IllegalMove', `${metadata.name} has ended already: it is ${status?.phase ?? 'gone'}.`, {
    next: 'There is nothing left to change; rent another one.',
  });

function own(found: Found, { tenant, namespace }: Asked): Found {
  const { spec, metadata } = found.contract;
  const isSellers = namespace !== undefined && metadata.namespace === namespace;
  if (spec.tenant.publicKey !== tenant && !isSellers) throw contractGone();
  return found;
}

type Looked = Readonly<
  | { outcome: 'Found'; contract: Contract }
  | { outcome: 'Absent' }
  | { outcome: 'Unavailable'; problem: Problem }
>;

async function lookInArchive(deps: Deps, uid: string): Promise<Looked> {
  try {
    const archived = await deps.store.archive.get(uid);
    return archived ? { outcome: 'Found', contract: archived.contract } : { outcome: 'Absent' };
  } catch (error) {
    if (error instanceof Problem && error.code === 'StoreUnavailable')
      return { outcome: 'Unavailable', problem: error };
    throw error;
  }
}
