/**
 * Contracts that the cache does not know, looked for in the cluster itself. A tag names a contract by its UID,
 * by which nothing can be read, so the namespace is listed live. A UID is never given twice: one that a live listing
 * did not have is remembered to be absent, and an agent's inventories may cause one listing a minute.
 */
import { type Contract, isLive, type LiveContract } from '../../crds/contract/contract.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Clients } from '../clients.ts';

/** `NotLooked`: not yet; ask again in a minute. */
export type Found = LiveContract | 'Absent' | 'NotLooked';

type Search = Readonly<{
  namespace: string;
  agentUID: string;
  uids: readonly string[];
  /** A listing for an inventory names all that is missing; a confirmation only one, so it may ask more often. */
  because: 'Inventory' | 'Confirmation';
}>;

export type LiveContracts = Readonly<{
  find: (search: Search) => Promise<ReadonlyMap<string, Found>>;
}>;

type Parts = Readonly<{
  clients: Pick<Clients, 'contracts'>;
  clock: Clock;
  /** Between two listings for one agent. Milliseconds; a minute by default. */
  lookEveryMs?: number | undefined;
}>;

const LOOK_EVERY_MS = 60_000;
const LOOKS_OF_CONFIRMATIONS = 10;
/** Not for ever: an etcd that is put back may have again what it had lost. */
const ABSENT_FOR_MS = 10 * 60_000;
const PAGE = 500;

export function createLiveContracts({ clients, clock, lookEveryMs = LOOK_EVERY_MS }: Parts): LiveContracts {
  const absentSinceMs = new Map<string, number>();
  const lookedAtMs = new Map<string, number>();
  const isYoung = (atMs: number | undefined, ms: number): boolean =>
    atMs !== undefined && clock.monotonicMs() - atMs < ms;
  const mayLook = ({ agentUID, because }: Search): boolean => {
    const key = `${agentUID}/${because}`;
    const everyMs = because === 'Inventory' ? lookEveryMs : lookEveryMs / LOOKS_OF_CONFIRMATIONS;
    if (isYoung(lookedAtMs.get(key), everyMs)) return false;
    forget(lookedAtMs, (atMs) => !isYoung(atMs, lookEveryMs));
    lookedAtMs.delete(key); // so that the Map is in the order of time
    lookedAtMs.set(key, clock.monotonicMs());
    return true;
  };
  return {
    find: async (search) => {
      const { namespace, uids } = search;
      // A UID that one namespace lacks may be there in another.
      const keyOf = (uid: string): string => `${namespace}/${uid}`;
      const missing = uids.filter((uid) => !isYoung(absentSinceMs.get(keyOf(uid)), ABSENT_FOR_MS));
      if (missing.length === 0) return new Map(uids.map((uid) => [uid, 'Absent']));
      const looked = mayLook(search);
      const askedMs = clock.monotonicMs();
      const found = looked
        ? await list(clients, { namespace, uids: new Set(missing) })
        : new Map<string, Contract>();
      forget(absentSinceMs, (atMs) => !isYoung(atMs, ABSENT_FOR_MS));
      const of = (uid: string): Found => {
        const contract = found.get(uid);
        if (contract) return isLive(contract) ? contract : 'NotLooked'; // the operator has not seen it yet
        if (!looked && missing.includes(uid)) return 'NotLooked';
        if (!absentSinceMs.has(keyOf(uid))) absentSinceMs.set(keyOf(uid), askedMs);
        return 'Absent';
      };
      return new Map(uids.map((uid) => [uid, of(uid)]));
    },
  };
}

type Listing = Readonly<{ namespace: string; uids: ReadonlySet<string> }>;

/** Page by page, until all were found. */
async function list(
  { contracts }: Parts['clients'],
  { namespace, uids }: Listing,
): Promise<Map<string, Contract>> {
  const found = new Map<string, Contract>();
  let next: string | undefined;
  do {
    const page = await contracts.list({ namespace, limit: PAGE, continue: next });
    for (const contract of page.items)
      if (uids.has(contract.metadata.uid ?? '')) found.set(contract.metadata.uid ?? '', contract);
    next = page.continue;
  } while (next !== undefined && found.size < uids.size);
  return found;
}

function forget(map: Map<string, number>, isOld: (atMs: number) => boolean): void {
  for (const [key, atMs] of map) {
    if (!isOld(atMs)) return; // the rest is younger
    map.delete(key);
  }
}
