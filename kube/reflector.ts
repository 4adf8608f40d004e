/**
 * Keeps a sink equal to what the API server has, through anything: LIST in pages, then WATCH from there, for ever.
 *
 *   list ──► watch ──► ended by the server's timeout, or by a fault that keeps the place ──► prove ──► watch
 *    ▲         └────► 410, or a fault that loses the place ──► list                            │
 *    └────────────────── the server has not reached the place: the world went back ◄───────────┘
 *
 * It promises the order of the API server, never an older state after a newer one (but for a restore of etcd, of
 * which it tells), and no event twice unless the object changed. It ends only with its signal. Source: client-go's
 * reflector, kubernetes-notes.md. To prove a place is our own: an API server that was restored from an older backup
 * lets a watch from the future wait in silence, for ever.
 */
import { type Backoff, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { KubeError } from './error.ts';
import type { KubeObject } from './object.ts';
import type { Observe } from './observation.ts';
import {
  judgeOlderList,
  losesPlace,
  noPlace,
  type Place,
  requireNotBefore,
  type WorldWentBack,
} from './place.ts';
import type { ResourceClient } from './resource.ts';
import type { WatchEvent } from './watch.ts';

/** Whoever is kept up to date. All calls are synchronous, in order, and must not throw. */
export type ReflectorSink<T> = Readonly<{
  /** Where the sink has got to, to notice a list that is older. */
  resourceVersion: () => string | undefined;
  /**
   * The world went back, as after a restore of etcd: from here on nothing that was seen is true, and equal
   * resourceVersions do not mean equal objects. A list follows.
   */
  wentBack: (fact: WorldWentBack) => void;
  listStarted: () => void;
  listed: (page: readonly T[]) => void;
  /** Whatever was in no page since `listStarted` does not exist any more. */
  listFinished: (resourceVersion: string) => void;
  changed: (event: WatchEvent<T>) => void;
}>;

export type ReflectorOptions<T extends KubeObject> = Readonly<{
  resource: Pick<ResourceClient<T>, 'list' | 'watch' | 'type'>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  sink: ReflectorSink<T>;
  clock: Clock;
  observe: Observe;
  /** Longest silence of a watch; bookmarks come once a minute. */
  stallMs?: number | undefined;
  pageSize?: number | undefined;
  backoff?: Backoff | undefined;
}>;

const PAGE_SIZE = 500;
const LIST_TIMEOUT_MS = 60_000;
const STALL_MS = 120_000;
const BACKOFF: Backoff = { firstMs: 800, maxMs: 30_000, factor: 2, jitter: 0.5 };
/** A watch that lived as long clears the memory of earlier failures. */
const HEALTHY_MS = 120_000;
/** A watch that the server ends sooner is a failure, whatever it says. */
const WATCH_MIN_MS = 1000;

export async function runReflector<T extends KubeObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, observe, backoff = BACKOFF } = options;
  const resource = options.resource.type.plural;
  const place = noPlace();
  let failures = 0;

  while (!signal.aborted) {
    let watchingSinceMs: number | undefined;
    let fault: unknown;
    try {
      if (place.resourceVersion === undefined) place.resourceVersion = await relist(options, place, signal);
      else await provePlace(options, place, signal);
      watchingSinceMs = clock.monotonicMs();
      await follow(options, place, signal);
    } catch (error) {
      if (signal.aborted) return;
      fault = error;
    }
    const livedMs = watchingSinceMs === undefined ? 0 : clock.monotonicMs() - watchingSinceMs;
    if (livedMs >= HEALTHY_MS) failures = 0;
    if (fault === undefined && livedMs >= WATCH_MIN_MS) {
      observe({ type: 'WatchEnded', resource, because: 'ServerTimeout', retryInMs: 0 });
      continue;
    }
    const because = fault === undefined ? 'EndedAtOnce' : reasonOf(fault);
    const relistBecause = losesPlace(fault, failures);
    if (relistBecause) {
      place.resourceVersion = undefined;
      place.relistBecause = relistBecause;
    }
    // A first 410 is ordinary life after a long silence, and so is a first stall: a watch of a resource that does
    // not change at all is sent no bookmark either. To wait now would only make the next event late.
    const isOrdinary = failures === 0 && (relistBecause === 'Gone' || because === 'Stalled');
    const plainMs = isOrdinary ? 0 : backoffMs(failures, backoff);
    const retryInMs = Math.max(plainMs, fault instanceof KubeError ? (fault.retryAfterMs ?? 0) : 0);
    failures++;
    observe({ type: 'WatchEnded', resource, because, error: fault, retryInMs });
    if (!(await slept(clock, retryInMs, signal))) return;
  }
}

async function relist<T extends KubeObject>(
  { resource, sink, clock, observe, pageSize = PAGE_SIZE, ...selection }: ReflectorOptions<T>,
  place: Place,
  signal: AbortSignal,
): Promise<string> {
  const startedMs = clock.monotonicMs();
  const { namespace, labelSelector, fieldSelector } = selection;
  const query = { namespace, labelSelector, fieldSelector, limit: pageSize };
  const call = { signal, timeoutMs: LIST_TIMEOUT_MS };
  let items = 0;
  let next: string | undefined;
  for (;;) {
    const page = await resource.list({ ...query, continue: next }, call);
    if (next === undefined) {
      const wentBack = judgeOlderList(page.resourceVersion, { seen: sink.resourceVersion(), place });
      if (wentBack) {
        observe({ type: 'WentBack', resource: resource.type.plural, ...wentBack });
        sink.wentBack(wentBack);
      }
      sink.listStarted();
    }
    // Page by page into the sink: the whole list is never in memory beside the cache.
    for (const item of page.items) dropManagedFields(item);
    sink.listed(page.items);
    items += page.items.length;
    next = page.continue;
    if (next === undefined) {
      sink.listFinished(page.resourceVersion);
      const because = place.relistBecause;
      observe({
        type: 'Relisted',
        resource: resource.type.plural,
        because,
        items,
        durationMs: clock.monotonicMs() - startedMs,
      });
      return page.resourceVersion;
    }
  }
}

/**
 * Throws PlaceAhead when the API server has not got as far as we have. One object of a consistent read is enough
 * to know, and a watch ends only every few minutes. No selector: it would make the server search for that object.
 */
async function provePlace<T extends KubeObject>(
  { resource, namespace }: ReflectorOptions<T>,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const page = await resource.list({ namespace, limit: 1 }, { signal, timeoutMs: LIST_TIMEOUT_MS });
  requireNotBefore(place.resourceVersion, page.resourceVersion);
}

/** Watches once, from `place` on, and moves it with every event. */
async function follow<T extends KubeObject>(
  { resource, sink, clock, observe, stallMs = STALL_MS, ...selection }: ReflectorOptions<T>,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, labelSelector, fieldSelector } = selection;
  const resourceVersion = place.resourceVersion ?? '';
  observe({
    type: 'WatchStarted',
    resource: resource.type.plural,
    resourceVersion,
    atMonotonicMs: clock.monotonicMs(),
  });
  const events = resource.watch(
    {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(300 + 300 * Math.random()), // not all watches of a program at once
      stallMs,
    },
    { signal },
  );
  for await (const event of events) {
    if (event.type !== 'BOOKMARK') dropManagedFields(event.object);
    const at = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
    requireNotBefore(place.resourceVersion, at);
    sink.changed(event);
    place.resourceVersion = at;
  }
}

const reasonOf = (fault: unknown): string => (fault instanceof KubeError ? fault.reason : 'Unknown');

/**
 * They are half of an object's bytes and nobody here reads them; the object is fresh from JSON.parse, so ours. A
 * new metadata, because one from which a member was deleted is kept as a hash table, several times as large.
 */
function dropManagedFields(object: KubeObject): void {
  const { managedFields, ...rest } = object.metadata;
  if (managedFields !== undefined) (object as { metadata: KubeObject['metadata'] }).metadata = rest;
}

async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    if (ms > 0) await clock.sleep(ms, { signal });
    return !signal.aborted;
  } catch {
    return false;
  }
}
