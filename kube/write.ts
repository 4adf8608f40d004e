/**
 * The two habits of a writer. After a conflict, read again and decide again: what was decided on an old state is
 * never sent a second time. After a success, wait until the own cache has it: the next decision must not be made
 * on a state from before the own write.
 */
import { isConflict } from './error.ts';
import type { Informer } from './informer.ts';
import { type KubeObject, keyOf, type ObjectRef } from './object.ts';
import { ignoreObservations, type Observe } from './observation.ts';
import type { CallOptions } from './request.ts';
import type { ResourceClient } from './resource.ts';
import type { SeenCondition } from './waiters.ts';

export type DecidedWrite<T extends KubeObject> = Readonly<{
  resource: ResourceClient<T>;
  ref: ObjectRef;
  /** Pure; sees a live read. Answers the whole next object, with its resourceVersion, or nothing to write. */
  decide: (current: T) => T | undefined;
  /** What the write changes: `Status` goes through `/status`. */
  part: 'Spec' | 'Status';
  signal?: AbortSignal | undefined;
  observe?: Observe | undefined;
}>;

export type WriteResult<T> = Readonly<
  { outcome: 'Written' | 'Unchanged'; object: T } | { outcome: 'Absent' }
>;

const ATTEMPTS_MAX = 5;

/** Throws the last conflict when five in a row were lost: then somebody writes all the time, and waiting helps. */
export async function readDecideWrite<T extends KubeObject>(write: DecidedWrite<T>): Promise<WriteResult<T>> {
  const { resource, ref, decide, part, signal, observe = ignoreObservations } = write;
  for (let attempt = 1; ; attempt++) {
    const current = await resource.get(ref, { signal });
    if (!current) return { outcome: 'Absent' };
    const next = decide(current);
    if (!next) return { outcome: 'Unchanged', object: current };
    try {
      const put = part === 'Status' ? resource.updateStatus : resource.update;
      return { outcome: 'Written', object: await put(next, { signal }) };
    } catch (error) {
      if (!isConflict(error) || attempt >= ATTEMPTS_MAX) throw error;
      observe({ type: 'ConflictRetried', resource: resource.type.plural, attempt });
    }
  }
}

/**
 * The same client, but a write resolves only once `informer` has seen it (or after `deadlineMs`, reported and
 * otherwise harmless). Only for objects that the informer selects: of others it hears with the next bookmark.
 */
export function readYourWrites<T extends KubeObject>(
  resource: ResourceClient<T>,
  informer: Informer<T>,
  { deadlineMs = 10_000 }: { deadlineMs?: number } = {},
): ResourceClient<T> {
  const seen = async (written: Promise<T>, options: CallOptions | undefined): Promise<T> => {
    const object = await written;
    await informer.waitFor(conditionOf(object), { signal: options?.signal, deadlineMs });
    return object;
  };
  return {
    ...resource,
    create: (object, options) => seen(resource.create(object, options), options),
    update: (object, options) => seen(resource.update(object, options), options),
    updateStatus: (object, options) => seen(resource.updateStatus(object, options), options),
    patch: (ref, patch, options) => seen(resource.patch(ref, patch, options), options),
    delete: async (ref, preconditions, options) => {
      const result = await resource.delete(ref, preconditions, options);
      const wait = { signal: options?.signal, deadlineMs };
      if (result.outcome === 'Deleting') await informer.waitFor(conditionOf(result.object), wait);
      if (result.outcome === 'Deleted' && result.uid !== undefined)
        await informer.waitFor({ uidGone: result.uid, key: keyOf({ metadata: ref }) }, wait);
      return result;
    },
  };
}

/** Removing the last finalizer of a deleted object answers the resourceVersion from before: wait for its end. */
function conditionOf({ metadata }: KubeObject): SeenCondition {
  const isGone = metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length;
  if (isGone && metadata.uid !== undefined) return { uidGone: metadata.uid, key: keyOf({ metadata }) };
  return { resourceVersion: metadata.resourceVersion ?? '0' };
}
