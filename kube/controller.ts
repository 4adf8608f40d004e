/**
 * Sources → queue → reconcile. Changes of the sources become keys; once every source has its first list, workers
 * take keys and reconcile them, never one key twice at a time. What a reconcile answers or throws decides:
 *   {} → done until something changes      { requeueAfterMs } → again after that
 *   TerminalError → reported, not retried  anything else thrown → again after the key's backoff
 * The informers are run by whoever wired them, since controllers share them. After the signal no new key is
 * begun; `run` resolves when those in hand are done.
 */
import { backoffMs } from '../lib/backoff.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Change, Informer } from './informer.ts';
import type { KubeObject, ObjectKey } from './object.ts';
import { type Observe, observerOf } from './observation.ts';
import { createQueue, type Priority, type Queue } from './queue.ts';

/** Trying again cannot help: the object itself must change first. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export type ReconcileRequest = Readonly<{ key: ObjectKey; signal: AbortSignal }>;
export type ReconcileResult = Readonly<{ requeueAfterMs?: number | undefined }>;
export type Reconciler = (request: ReconcileRequest) => Promise<ReconcileResult>;

export type Source<T extends KubeObject> = Readonly<{
  informer: Informer<T>;
  /** Which keys a change concerns; they need not be the object's own. */
  mapToKeys: (change: Change<T>) => readonly ObjectKey[];
}>;

/** `T` is the tuple of the sources' object types, inferred from their informers. */
export type ControllerOptions<T extends readonly KubeObject[]> = Settings &
  Readonly<{ sources: { readonly [I in keyof T]: Source<T[I]> } }>;

type Settings = Readonly<{
  name: string;
  reconcile: Reconciler;
  /** How many keys at once; 1 by default. */
  workers?: number | undefined;
  clock?: Clock | undefined;
  observe?: Observe | undefined;
  /** Where the facts go when there is no `observe`. */
  log?: Logger | undefined;
  /** Every object is looked at again after so long, ± 10 %; 10 h by default. */
  resyncMs?: number | undefined;
  syncDeadlineMs?: number | undefined;
}>;

export type Controller = Readonly<{
  name: string;
  enqueue: (key: ObjectKey, priority?: Priority) => void;
  /** Throws when a source is not listed within 2 minutes: the program should end and be restarted. */
  run: (signal: AbortSignal) => Promise<void>;
  queue: Queue;
}>;

const SYNC_DEADLINE_MS = 120_000;
const RESYNC_MS = 10 * 60 * 60_000;

export function createController<const T extends readonly KubeObject[]>(
  options: ControllerOptions<T>,
): Controller {
  const { name, workers = 1, clock = systemClock } = options;
  const observe = observerOf(options);
  const queue = createQueue({ name, clock, observe });
  const feeds = options.sources.map((each) => feedOf(each));
  const context: Context = { ...options, clock, observe, queue, feeds };
  return {
    name,
    queue,
    enqueue: queue.add,
    run: async (signal) => {
      const unsubscribes = feeds.map((each) => each.subscribe(queue.add));
      const stop = new AbortController();
      const running = AbortSignal.any([signal, stop.signal]);
      try {
        await waitForSync(context, signal);
        if (signal.aborted) return;
        observe({ type: 'ControllerStarted', controller: name, workers });
        const resync = resyncForever(context, running);
        await Promise.all(Array.from({ length: workers }, () => work(context, signal)));
        stop.abort();
        await resync;
      } finally {
        stop.abort();
        for (const unsubscribe of unsubscribes) unsubscribe();
        queue.shutDown();
      }
    },
  };
}

type Context = Settings & Readonly<{ clock: Clock; observe: Observe; queue: Queue; feeds: readonly Feed[] }>;

type Enqueue = (key: ObjectKey, priority: Priority) => void;

/** A source without the type of its objects. */
type Feed = Readonly<{
  name: string;
  synced: (signal: AbortSignal) => Promise<void>;
  subscribe: (enqueue: Enqueue) => () => void;
  /** Every key that the objects of the source map to now. */
  resync: (enqueue: Enqueue) => void;
}>;

function feedOf<T extends KubeObject>({ informer, mapToKeys }: Source<T>): Feed {
  return {
    name: informer.name,
    synced: informer.synced,
    subscribe: (enqueue) =>
      informer.onChange(
        (change) => {
          const isInitial = change.type === 'Added' && change.isInitialList;
          for (const key of mapToKeys(change)) enqueue(key, isInitial ? 'Low' : 'Normal');
        },
        { replay: 'Existing' },
      ),
    resync: (enqueue) => {
      for (const object of informer.cache.list())
        for (const key of mapToKeys({ type: 'Updated', object, old: object })) enqueue(key, 'Low');
    },
  };
}

async function waitForSync(context: Context, signal: AbortSignal): Promise<void> {
  const { name, feeds, clock, syncDeadlineMs = SYNC_DEADLINE_MS } = context;
  const late = new AbortController();
  const timer = clock.after(syncDeadlineMs, () => late.abort());
  const patience = AbortSignal.any([signal, late.signal]);
  const missing = new Set(feeds.map((each) => each.name));
  try {
    await Promise.all(
      feeds.map(async (each) => {
        await each.synced(patience);
        missing.delete(each.name);
      }),
    );
  } catch (error) {
    if (signal.aborted) return;
    if (!late.signal.aborted) throw error;
    const message = `controller ${name}: no list of ${[...missing].join(', ')} within ${syncDeadlineMs / 1000} s`;
    throw new Error(message, { cause: error });
  } finally {
    timer.cancel();
  }
}

async function work(context: Context, signal: AbortSignal): Promise<void> {
  const { queue } = context;
  for (let key = await queue.get(signal); key !== undefined; key = await queue.get(signal)) {
    try {
      await reconcileOnce(context, { key, signal });
    } finally {
      queue.done(key);
    }
  }
}

async function reconcileOnce(context: Context, { key, signal }: ReconcileRequest): Promise<void> {
  const { name, queue, clock, observe } = context;
  const startedMs = clock.monotonicMs();
  const took = () => ({ controller: name, key, durationMs: clock.monotonicMs() - startedMs });
  observe({ type: 'ReconcileStarted', controller: name, key });
  try {
    const { requeueAfterMs } = await context.reconcile({ key, signal });
    queue.forget(key);
    if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    const result = requeueAfterMs === undefined ? 'success' : 'requeue_after';
    observe({ type: 'ReconcileFinished', ...took(), result, retryInMs: requeueAfterMs });
  } catch (error) {
    if (signal.aborted) {
      // Stopping is no failure; whoever leads next begins with a list.
      observe({ type: 'ReconcileFinished', ...took(), result: 'success' });
      return;
    }
    const isTerminal = error instanceof TerminalError;
    if (isTerminal) queue.forget(key);
    const retryInMs = isTerminal ? undefined : queue.addRateLimited(key);
    const result = isTerminal ? 'terminal_error' : 'error';
    observe({ type: 'ReconcileFinished', ...took(), result, error, retryInMs });
  }
}

async function resyncForever(context: Context, signal: AbortSignal): Promise<void> {
  const { feeds, queue, clock, observe, resyncMs = RESYNC_MS } = context;
  for (;;) {
    const waitMs = backoffMs(0, { firstMs: resyncMs, maxMs: 2 * resyncMs, factor: 1, jitter: 0.1 });
    try {
      await clock.sleep(waitMs, { signal });
    } catch {
      return; // stopped
    }
    for (const each of feeds) {
      try {
        each.resync(queue.add);
      } catch (error) {
        observe({ type: 'ConsumerThrew', resource: each.name, consumer: 'Mapper', error });
      }
    }
  }
}
