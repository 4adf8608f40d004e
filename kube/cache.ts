/**
 * The live copy of a resource in memory: by key, and by whatever the indexers name. Objects are deeply frozen and
 * carry no managedFields, so what `get` hands out can be shared and kept; whoever wants to change one copies it.
 * Only the informer writes; nothing here is asynchronous, so a reader never sees half of a change.
 */
import { invariant } from '../lib/assert.ts';
import { type KubeObject, keyOf, type ObjectKey } from './object.ts';

/** Pure: the same object always gives the same values. An object may have none, one or several. */
export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

export type Cache<T extends KubeObject> = Readonly<{
  get: (key: ObjectKey) => T | undefined;
  /** In no particular order; throws when no indexer has the name. */
  getByIndex: (name: string, value: string) => readonly T[];
  /** How many objects an index has for one value; costs the same however many there are. */
  countOf: (name: string, value: string) => number;
  /** Every value of an index that has objects, with their number. */
  countByIndex: (name: string) => ReadonlyMap<string, number>;
  list: () => readonly T[];
  keys: () => IterableIterator<ObjectKey>;
  size: () => number;
  /** Everything up to here has been seen; undefined before the first list, and after the world went back. */
  resourceVersion: () => string | undefined;
}>;

export type WritableCache<T extends KubeObject> = Cache<T> &
  Readonly<{
    /** Freezes `object`; answers what it replaces. */
    put: (object: T) => T | undefined;
    remove: (key: ObjectKey) => T | undefined;
    advance: (resourceVersion: string) => void;
    /** What was seen is not true any more: as before the first list, but readers keep the objects until the next. */
    forgetPlace: () => void;
  }>;

type Index<T> = Map<string, Map<ObjectKey, T>>;

export function createCache<T extends KubeObject>(
  indexers: Indexers<T>,
  onIndexerError: (error: unknown) => void,
): WritableCache<T> {
  const objects = new Map<ObjectKey, T>();
  const indexes = new Map<string, Index<T>>(Object.keys(indexers).map((name) => [name, new Map()]));
  let seen: string | undefined;

  const indexNamed = (name: string): Index<T> => {
    const index = indexes.get(name);
    invariant(index, `no indexer is called ${name}`);
    return index;
  };
  const valuesOf = (indexer: (object: T) => readonly string[], object: T): readonly string[] => {
    try {
      return indexer(object);
    } catch (error) {
      onIndexerError(error); // the object stays readable by key
      return [];
    }
  };
  const unindex = (key: ObjectKey, object: T): void => {
    for (const [name, indexer] of Object.entries(indexers)) {
      const index = indexNamed(name);
      for (const value of valuesOf(indexer, object)) {
        const bucket = index.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) index.delete(value);
      }
    }
  };
  const index = (key: ObjectKey, object: T): void => {
    for (const [name, indexer] of Object.entries(indexers)) {
      const target = indexNamed(name);
      for (const value of valuesOf(indexer, object)) {
        const bucket = target.get(value);
        if (bucket) bucket.set(key, object);
        else target.set(value, new Map([[key, object]]));
      }
    }
  };

  return {
    get: (key) => objects.get(key),
    getByIndex: (name, value) => [...(indexNamed(name).get(value)?.values() ?? [])],
    countOf: (name, value) => indexNamed(name).get(value)?.size ?? 0,
    countByIndex: (name) => new Map([...indexNamed(name)].map(([value, bucket]) => [value, bucket.size])),
    list: () => [...objects.values()],
    keys: () => objects.keys(),
    size: () => objects.size,
    resourceVersion: () => seen,
    put: (object) => {
      const key = keyOf(object);
      const old = objects.get(key);
      if (old) unindex(key, old);
      objects.set(key, deepFreeze(object));
      index(key, object);
      return old;
    },
    remove: (key) => {
      const old = objects.get(key);
      if (!old) return undefined;
      unindex(key, old);
      objects.delete(key);
      return old;
    },
    advance: (resourceVersion) => {
      seen = resourceVersion;
    },
    forgetPlace: () => {
      seen = undefined;
    },
  };
}

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
