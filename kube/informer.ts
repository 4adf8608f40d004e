/**
 * A cache that the reflector keeps up to date, and who wants to hear of changes. Handlers run synchronously after
 * the cache has the change; one that throws is reported and harms nobody else. `waitFor` lets a writer wait until
 * the cache has seen its own write.
 */
import { invariant } from '../lib/assert.ts';
import type { Backoff } from '../lib/backoff.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Cache, createCache, type Indexers, type WritableCache } from './cache.ts';
import { type KubeObject, keyOf, type ObjectKey } from './object.ts';
import { type Observe, observerOf, type WaitOutcome } from './observation.ts';
import type { WorldWentBack } from './place.ts';
import { type ReflectorSink, runReflector } from './reflector.ts';
import type { ResourceClient } from './resource.ts';
import { createWaiters, type SeenCondition, type WaitOptions } from './waiters.ts';

export type Change<T> = Readonly<
  | { type: 'Added'; object: T; old?: undefined; isInitialList: boolean }
  | { type: 'Updated'; object: T; old: T }
  /**
   * `object` is its last state; after a gap, the last one that was seen. `isWatched`: the API server said that it was
   * deleted; otherwise a list did not have it, which may also be an older world.
   */
  | { type: 'Deleted'; object: T; old?: undefined; isWatched: boolean }
>;

export type ChangeHandler<T> = (change: Change<T>) => void;

export type InformerOptions<T extends KubeObject> = Readonly<{
  resource: ResourceClient<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  indexers?: Indexers<T> | undefined;
  /** What to keep of an object; must leave apiVersion, kind and metadata. */
  transform?: ((object: T) => T) | undefined;
  clock?: Clock | undefined;
  observe?: Observe | undefined;
  /** Where the facts go when there is no `observe`. */
  log?: Logger | undefined;
  stallMs?: number | undefined;
  pageSize?: number | undefined;
  backoff?: Backoff | undefined;
}>;

export type Informer<T extends KubeObject> = Readonly<{
  /** For messages: the resource's plural. */
  name: string;
  cache: Cache<T>;
  /** Resolves when `signal` is aborted; may be called once. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Resolves after the first complete list; rejects with the signal's reason. */
  synced: (signal: AbortSignal) => Promise<void>;
  isSynced: () => boolean;
  /** `replay: 'Existing'` first tells of every object that is there, as added. Answers how to unsubscribe. */
  onChange: (handler: ChangeHandler<T>, options?: { replay: 'Existing' | 'None' }) => () => void;
  /**
   * etcd was restored from an older backup. Called before the cache changes, so that nobody acts on the older
   * state unwarned; then the cache is replaced, and the differences come as ordinary changes. A process that was
   * not running meanwhile has nothing to compare with and is not told. Answers how to unsubscribe.
   */
  onWentBack: (handler: (fact: WorldWentBack) => void) => () => void;
  /** Resolves once the cache has seen it, or says that the deadline (10 s) passed or the world went back; rejects when aborted. */
  waitFor: (condition: SeenCondition, options?: WaitOptions) => Promise<WaitOutcome>;
}>;

export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { resource, clock = systemClock } = options;
  const observe = observerOf(options);
  const name = resource.type.plural;
  const threw =
    (consumer: 'Handler' | 'Indexer' | 'Mapper') =>
    (error: unknown): void => {
      observe({ type: 'ConsumerThrew', resource: name, consumer, error });
    };
  const cache = createCache<T>(options.indexers ?? {}, threw('Indexer'));
  const waiters = createWaiters<T>({ cache, clock, observe, resource: name });
  const handlers = new Set<ChangeHandler<T>>();
  const wentBackHandlers = new Set<(fact: WorldWentBack) => void>();
  const { promise: firstList, resolve: markSynced } = Promise.withResolvers<void>();
  let isSynced = false;
  let isStarted = false;

  const tell = <F>(handler: (fact: F) => void, fact: F): void => {
    try {
      handler(fact);
    } catch (error) {
      threw('Handler')(error);
    }
  };
  const sink = createSink<T>({
    cache,
    transform: (object) => {
      try {
        return options.transform?.(object) ?? object;
      } catch (error) {
        threw('Mapper')(error);
        return object;
      }
    },
    emit: (change) => {
      for (const handler of handlers) tell(handler, change);
    },
    isFirstList: () => !isSynced,
    wentBack: (fact) => {
      cache.forgetPlace();
      for (const handler of wentBackHandlers) tell(handler, fact);
      waiters.wentBack();
    },
    advanced: (resourceVersion) => {
      cache.advance(resourceVersion);
      observe({ type: 'CacheAdvanced', resource: name, resourceVersion, objects: cache.size() });
      waiters.check();
    },
    listed: () => {
      isSynced = true;
      markSynced();
    },
  });

  return {
    name,
    cache,
    run: (signal) => {
      invariant(!isStarted, `the informer of ${name} runs already`);
      isStarted = true;
      return runReflector({ ...options, clock, observe, sink }, signal);
    },
    synced: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = (): void => reject(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
        void firstList.then(() => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        });
      }),
    isSynced: () => isSynced,
    onChange: (handler, { replay } = { replay: 'None' }) => {
      // A wrapper, so that one function that subscribes twice is told twice and unsubscribed one at a time.
      const subscription: ChangeHandler<T> = (change) => handler(change);
      if (replay === 'Existing')
        for (const object of cache.list()) tell(subscription, { type: 'Added', object, isInitialList: true });
      handlers.add(subscription);
      return () => void handlers.delete(subscription);
    },
    onWentBack: (handler) => {
      const subscription = (fact: WorldWentBack): void => handler(fact);
      wentBackHandlers.add(subscription);
      return () => void wentBackHandlers.delete(subscription);
    },
    waitFor: (condition, waitOptions) => waiters.wait(condition, waitOptions),
  };
}

type SinkParts<T extends KubeObject> = Readonly<{
  cache: WritableCache<T>;
  transform: (object: T) => T;
  emit: (change: Change<T>) => void;
  isFirstList: () => boolean;
  wentBack: (fact: WorldWentBack) => void;
  advanced: (resourceVersion: string) => void;
  listed: () => void;
}>;

/** Turns the reflector's lists and events into changes of the cache, and tells of those that are any. */
function createSink<T extends KubeObject>(parts: SinkParts<T>): ReflectorSink<T> {
  const { cache, transform, emit, isFirstList, advanced, listed } = parts;
  let seenInList = new Set<ObjectKey>();
  let isOtherWorld = false; // until the list after `wentBack` is complete

  const put = (fresh: T): void => {
    const known = cache.get(keyOf(fresh));
    // In another world the same resourceVersion may be another state of the object.
    if (known && isSame(known, fresh) && !isOtherWorld) return;
    const object = transform(fresh);
    cache.put(object);
    if (known && known.metadata.uid === object.metadata.uid) {
      emit({ type: 'Updated', object, old: known });
      return;
    }
    if (known) emit({ type: 'Deleted', object: known, isWatched: false }); // deleted and created again during a gap
    emit({ type: 'Added', object, isInitialList: isFirstList() });
  };
  const remove = (key: ObjectKey, last: T | undefined): void => {
    const known = cache.remove(key);
    if (known) emit({ type: 'Deleted', object: last ?? known, isWatched: last !== undefined });
  };

  return {
    resourceVersion: cache.resourceVersion,
    wentBack: (fact) => {
      isOtherWorld = true;
      parts.wentBack(fact);
    },
    listStarted: () => {
      seenInList = new Set();
    },
    listed: (page) => {
      for (const item of page) {
        seenInList.add(keyOf(item));
        put(item);
      }
    },
    listFinished: (resourceVersion) => {
      for (const key of [...cache.keys()]) if (!seenInList.has(key)) remove(key, undefined);
      seenInList = new Set();
      isOtherWorld = false;
      advanced(resourceVersion);
      listed();
    },
    changed: (event) => {
      if (event.type === 'BOOKMARK') return advanced(event.resourceVersion);
      if (event.type === 'DELETED') remove(keyOf(event.object), transform(event.object));
      else put(event.object);
      advanced(event.object.metadata.resourceVersion ?? '');
    },
  };
}

const isSame = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
