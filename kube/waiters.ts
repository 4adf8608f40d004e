/**
 * Those who wait until a cache has seen something: a resourceVersion, or the end of a uid. Checked once per event
 * and only while somebody waits. Two writes answer no resourceVersion to wait for (removing the last finalizer,
 * and DELETE): there the uid is waited for. Source: kubernetes-notes.md, "Read your writes".
 */
import type { Clock } from '../lib/clock.ts';
import type { Cache } from './cache.ts';
import { compareResourceVersions, type KubeObject, type ObjectKey } from './object.ts';
import type { Observe, WaitOutcome } from './observation.ts';

export type SeenCondition = Readonly<
  | { resourceVersion: string }
  /** With the key the look-up costs nothing; without it every object is looked at. */
  | { uidGone: string; key?: ObjectKey | undefined }
>;

export type WaitOptions = Readonly<{ signal?: AbortSignal | undefined; deadlineMs?: number | undefined }>;

export type Waiters = Readonly<{
  wait: (condition: SeenCondition, options?: WaitOptions) => Promise<WaitOutcome>;
  /** The cache has advanced. */
  check: () => void;
  /** The world went back: nobody waits any longer for what it may never reach. */
  wentBack: () => void;
}>;

const DEADLINE_MS = 10_000;

type Waiter = Readonly<{ condition: SeenCondition; finish: (outcome: WaitOutcome) => void }>;

export function createWaiters<T extends KubeObject>(parts: {
  cache: Cache<T>;
  clock: Clock;
  observe: Observe;
  resource: string;
}): Waiters {
  const { cache, clock, observe, resource } = parts;
  const waiting = new Set<Waiter>();
  return {
    wait: (condition, { signal, deadlineMs = DEADLINE_MS } = {}) => {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (isSeen(cache, condition)) return Promise.resolve('Reached');
      const startedMs = clock.monotonicMs();
      return new Promise((resolve, reject) => {
        const finish = (outcome: WaitOutcome): void => {
          release();
          observe({ type: 'WriteAwaited', resource, outcome, waitedMs: clock.monotonicMs() - startedMs });
          resolve(outcome);
        };
        const onAbort = (): void => {
          release();
          reject(signal?.reason);
        };
        const waiter: Waiter = { condition, finish };
        const deadline = clock.after(deadlineMs, () => finish('DeadlineExceeded'));
        const release = (): void => {
          waiting.delete(waiter);
          deadline.cancel();
          signal?.removeEventListener('abort', onAbort);
        };
        waiting.add(waiter);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    check: () => {
      for (const waiter of waiting) if (isSeen(cache, waiter.condition)) waiter.finish('Reached');
    },
    wentBack: () => {
      for (const waiter of waiting) waiter.finish('WentBack');
    },
  };
}

function isSeen<T extends KubeObject>(cache: Cache<T>, condition: SeenCondition): boolean {
  if ('resourceVersion' in condition) {
    const seen = cache.resourceVersion();
    return seen !== undefined && compareResourceVersions(seen, condition.resourceVersion) >= 0;
  }
  const { uidGone, key } = condition;
  if (key !== undefined) return cache.get(key)?.metadata.uid !== uidGone;
  return !cache.list().some(({ metadata }) => metadata.uid === uidGone);
}
