/**
 * Counts writes by watching: every write that changes an object is one event with a resourceVersion of its own. A
 * PUT that changes nothing is not counted, nor does etcd see it.
 */
import type { KubeObject } from '../kube/object.ts';
import type { ResourceClient } from '../kube/resource.ts';
import { systemClock } from '../lib/clock.ts';

export type Write<T> = Readonly<{ object: T; atMs: number; isCreation: boolean }>;

export type WriteWatch<T> = Readonly<{
  writes: readonly Write<T>[];
  stop: () => Promise<void>;
}>;

/** Of all objects of a namespace, from now on. `stop` throws what the watch ended with, if it did not last. */
export async function watchWrites<T extends KubeObject>(
  resource: ResourceClient<T>,
  namespace: string,
): Promise<WriteWatch<T>> {
  const over = new AbortController();
  const { resourceVersion } = await resource.list({ namespace });
  const writes: Write<T>[] = [];
  const watching = (async (): Promise<void> => {
    const events = resource.watch({ namespace, resourceVersion }, { signal: over.signal });
    for await (const event of events)
      if (event.type !== 'BOOKMARK')
        writes.push({
          object: event.object,
          atMs: systemClock.monotonicMs(),
          isCreation: event.type === 'ADDED',
        });
    throw new Error('the watch ended before the count did');
  })();
  watching.catch(() => undefined); // heard by `stop`
  return {
    writes,
    stop: async () => {
      const isOver = Promise.withResolvers<void>();
      over.signal.addEventListener('abort', () => isOver.resolve());
      const early = watching.catch((error: unknown) => {
        if (!over.signal.aborted) throw error;
      });
      systemClock.after(0, () => over.abort());
      await Promise.race([early, isOver.promise]);
      await early;
    },
  };
}

/** The most writes after its creation that any one object had in any stretch of `windowMs`. */
export function mostWithin<T extends KubeObject>(writes: readonly Write<T>[], windowMs: number): number {
  const changes = writes.filter(({ isCreation }) => !isCreation);
  const counts = changes.map(
    (first) =>
      changes.filter(
        ({ object, atMs }) =>
          object.metadata.uid === first.object.metadata.uid &&
          atMs >= first.atMs &&
          atMs < first.atMs + windowMs,
      ).length,
  );
  return Math.max(0, ...counts);
}
