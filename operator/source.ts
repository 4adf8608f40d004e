/** A source of keys, written as what a change of one object concerns; `old` is there when it was updated. */
import type { Source } from '../kube/controller.ts';
import type { Informer } from '../kube/informer.ts';
import type { KubeObject, ObjectKey } from '../kube/object.ts';

export const on = <T extends KubeObject>(
  informer: Informer<T>,
  keysOf: (object: T, old: T | undefined) => readonly ObjectKey[],
): Source<T> => ({
  informer,
  mapToKeys: (change) => keysOf(change.object, change.type === 'Updated' ? change.old : undefined),
});
