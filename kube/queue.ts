/**
 * The work queue of client-go: keys that wait (dirty) and keys in hand (processing).
 *   1. A key that waits is there once, however often it is added.
 *   2. A key in hand is never handed out again before `done`; added meanwhile, it runs once more after it.
 *   3. A key that fails waits 5 ms, 10 ms … 1000 s, counted for each key until `forget`.
 *   4. `Normal` keys go before `Low` ones (initial list, resync); within a priority the first added is first.
 */
import { type Backoff, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { createDelays } from './delays.ts';
import type { ObjectKey } from './object.ts';
import type { Observe, QueueStats } from './observation.ts';

export type Priority = 'Normal' | 'Low';

export type QueueOptions = Readonly<{
  name: string;
  clock: Clock;
  observe: Observe;
  backoff?: Backoff | undefined;
}>;

export type Queue = Readonly<{
  add: (key: ObjectKey, priority?: Priority) => void;
  /** An earlier instant that is already planned for the key stays. */
  addAfter: (key: ObjectKey, ms: number, priority?: Priority) => void;
  /** Adds after the key's backoff, which it answers, and lengthens it. */
  addRateLimited: (key: ObjectKey) => number;
  /** The key is well: its next failure waits 5 ms again. */
  forget: (key: ObjectKey) => void;
  /** Waits for a key; undefined once shut down or `signal` is aborted. Each key needs its `done`. */
  get: (signal: AbortSignal) => Promise<ObjectKey | undefined>;
  done: (key: ObjectKey) => void;
  /** Hands out nothing more and cancels what is planned; keys in hand may finish. */
  shutDown: () => void;
  stats: () => QueueStats;
}>;

/** No jitter: two failing keys rarely fail together, and a test can count. */
const BACKOFF: Backoff = { firstMs: 5, maxMs: 1_000_000, factor: 2, jitter: 0 };

export function createQueue({ name, clock, observe, backoff = BACKOFF }: QueueOptions): Queue {
  const waiting: Record<Priority, Line> = { Normal: createLine(), Low: createLine() };
  const processing = new Map<ObjectKey, number>(); // since when
  const again = new Map<ObjectKey, Priority>(); // added while in hand
  const failures = new Map<ObjectKey, number>();
  const getters: ((key: ObjectKey | undefined) => void)[] = [];
  let isShutDown = false;

  const add = (key: ObjectKey, priority: Priority = 'Normal'): void => {
    if (isShutDown) return;
    if (processing.has(key)) {
      if (again.get(key) === undefined) observe({ type: 'QueueAdded', queue: name });
      if (again.get(key) !== 'Normal') again.set(key, priority);
      return;
    }
    if (waiting.Normal.has(key)) return;
    const sinceMs = waiting.Low.sinceMs(key);
    if (sinceMs !== undefined) {
      if (priority === 'Low') return;
      waiting.Low.remove(key); // promoted; it keeps the time it has waited
    } else {
      observe({ type: 'QueueAdded', queue: name });
    }
    waiting[priority].push(key, sinceMs ?? clock.monotonicMs());
    const getter = getters.shift();
    getter?.(take());
  };
  const take = (): ObjectKey | undefined => {
    const first = waiting.Normal.shift() ?? waiting.Low.shift();
    if (!first) return undefined;
    const nowMs = clock.monotonicMs();
    processing.set(first.key, nowMs);
    observe({ type: 'QueueStarted', queue: name, waitedMs: nowMs - first.sinceMs });
    return first.key;
  };
  const delays = createDelays(clock, add);
  const stats = (): QueueStats => {
    const nowMs = clock.monotonicMs();
    const ages = [...processing.values()].map((sinceMs) => nowMs - sinceMs);
    return {
      depth: waiting.Normal.size() + waiting.Low.size(),
      unfinishedMs: ages.reduce((sum, age) => sum + age, 0),
      longestRunningMs: ages.reduce((longest, age) => Math.max(longest, age), 0),
    };
  };
  observe({ type: 'QueueCreated', queue: name, stats });

  return {
    add,
    addAfter: (key, ms, priority = 'Normal') => {
      if (isShutDown) return;
      if (ms <= 0) add(key, priority);
      else delays.plan(key, ms, priority);
    },
    addRateLimited: (key) => {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const ms = backoffMs(count, backoff);
      observe({ type: 'QueueRetried', queue: name });
      if (!isShutDown) delays.plan(key, ms, 'Normal');
      return ms;
    },
    forget: (key) => void failures.delete(key),
    get: (signal) => {
      if (isShutDown || signal.aborted) return Promise.resolve(undefined);
      const key = take();
      if (key !== undefined) return Promise.resolve(key);
      return new Promise((resolve) => {
        const getter = (next: ObjectKey | undefined): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(next);
        };
        const onAbort = (): void => {
          getters.splice(getters.indexOf(getter), 1);
          resolve(undefined);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        getters.push(getter);
      });
    },
    done: (key) => {
      const sinceMs = processing.get(key);
      if (sinceMs === undefined) return;
      processing.delete(key);
      observe({ type: 'QueueDone', queue: name, workedMs: clock.monotonicMs() - sinceMs });
      const priority = again.get(key);
      if (priority === undefined || isShutDown) return;
      again.delete(key);
      waiting[priority].push(key, clock.monotonicMs());
      getters.shift()?.(take());
    },
    shutDown: () => {
      isShutDown = true;
      delays.clear();
      for (const getter of getters.splice(0)) getter(undefined);
    },
    stats,
  };
}

type Line = Readonly<{
  has: (key: ObjectKey) => boolean;
  sinceMs: (key: ObjectKey) => number | undefined;
  push: (key: ObjectKey, sinceMs: number) => void;
  remove: (key: ObjectKey) => void;
  shift: () => { key: ObjectKey; sinceMs: number } | undefined;
  size: () => number;
}>;

/**
 * First in, first out, with removal from the middle. The iterator is kept between calls: a fresh one would walk
 * over the holes that removed keys leave at the front of a Map, again for each key.
 */
function createLine(): Line {
  const keys = new Map<ObjectKey, number>();
  const cursor = keys.entries();
  return {
    has: (key) => keys.has(key),
    sinceMs: (key) => keys.get(key),
    push: (key, sinceMs) => void keys.set(key, sinceMs),
    remove: (key) => void keys.delete(key),
    shift: () => {
      if (keys.size === 0) return undefined; // so the cursor never comes to its end and always sees what is pushed
      const next = cursor.next();
      if (next.done) return undefined;
      const [key, sinceMs] = next.value;
      keys.delete(key);
      return { key, sinceMs };
    },
    size: () => keys.size,
  };
}
