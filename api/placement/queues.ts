/**
 * What waits for an agent under each demand key, oldest first: kept in order as contracts come and go, so that a
 * poll begins at the head and reads no further than it must. "Oldest" is who has wanted a machine for longest.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { wantedSinceMs } from '../../crds/placement/waiting.ts';

export type Queues = Readonly<{
  /** Puts it where it belongs; `keys` is empty when it does not wait. */
  put: (contract: Contract, keys: readonly string[]) => void;
  remove: (uid: string) => void;
  /** UIDs, oldest first. Not to be kept: the next change may change it. */
  under: (key: string) => Iterable<string>;
  /** Another one whenever something that waits under the key has changed; 0 while nothing does. */
  versionOf: (key: string) => number;
  /** How many wait under any of the keys, and how many of them are before it. */
  placeOf: (uid: string) => Readonly<{ ahead: number; waiting: number }> | undefined;
}>;

type Entry = Readonly<{ uid: string; sinceMs: number; keys: readonly string[] }>;
/** Sorted when it is first read, and from then on. */
type Queue = { entries: Entry[]; isSorted: boolean };

export function createQueues(): Queues {
  const known = new Map<string, Entry>();
  const queues = new Map<string, Queue>();
  const versions = new Map<string, number>();
  let changes = 0;
  /** Never the same number twice, so that a key under which nothing waits can be forgotten: it is 0 again. */
  const changed = (keys: readonly string[]): void => {
    for (const key of keys)
      if (queues.has(key)) versions.set(key, ++changes);
      else versions.delete(key);
  };
  const sorted = (key: string): readonly Entry[] => {
    const queue = queues.get(key);
    if (!queue) return [];
    if (!queue.isSorted) queue.entries.sort(inOrder);
    queue.isSorted = true;
    return queue.entries;
  };
  const remove = (uid: string): void => {
    const entry = known.get(uid);
    if (!entry) return;
    known.delete(uid);
    for (const key of entry.keys) {
      const queue = queues.get(key);
      if (!queue) continue;
      sorted(key);
      queue.entries.splice(positionOf(queue.entries, entry), 1);
      if (queue.entries.length === 0) queues.delete(key);
    }
    changed(entry.keys);
  };
  return {
    put: (contract, keys) => {
      const uid = contract.metadata.uid ?? '';
      const before = known.get(uid);
      const sinceMs = wantedSinceMs(contract) ?? 0; // then it stands in no queue
      const isSame = before?.sinceMs === sinceMs && before.keys.join() === keys.join();
      if (isSame) {
        changed(keys);
        return;
      }
      remove(uid);
      if (keys.length === 0) return;
      const entry = { uid, sinceMs, keys };
      known.set(uid, entry);
      for (const key of keys) {
        const queue = queues.get(key);
        if (!queue) queues.set(key, { entries: [entry], isSorted: true });
        else if (queue.isSorted && queue.entries.length > BULK)
          queue.entries.splice(positionOf(queue.entries, entry), 0, entry);
        else {
          queue.entries.push(entry);
          queue.isSorted = false;
        }
      }
      changed(keys);
    },
    remove,
    under: function* (key) {
      for (const { uid } of sorted(key)) yield uid;
    },
    versionOf: (key) => versions.get(key) ?? 0,
    placeOf: (uid) => {
      const entry = known.get(uid);
      if (!entry) return undefined;
      let ahead = 0;
      let waiting = 0;
      for (const key of entry.keys) {
        const entries = sorted(key);
        waiting = Math.max(waiting, entries.length);
        ahead = Math.max(ahead, positionOf(entries, entry));
      }
      return { ahead, waiting };
    },
  };
}

/** Below it sorting anew costs nothing; and the first list, which comes in another order, is sorted but once. */
const BULK = 1;

const inOrder = (a: Entry, b: Entry): number =>
  a.sinceMs - b.sinceMs || (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0);

/** Of the entry, or where it belongs. */
function positionOf(entries: readonly Entry[], entry: Entry): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = entries[middle];
    if (at && inOrder(at, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
