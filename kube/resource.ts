/**
 * Typed verbs on one resource. Shapes are trusted: what the API server stores has passed the CRD's schema, which
 * comes from the same zod schema as `T`. Conflicts, refusals and lost connections are thrown as KubeError; only
 * absence is an answer (`undefined`, `Absent`).
 */
import type { KubeClient } from './client.ts';
import { isNotFound } from './error.ts';
import type { Draft, KubeObject, ObjectRef } from './object.ts';
import type { CallOptions } from './request.ts';
import { type WatchEvent, type WatchQuery, watchResource } from './watch.ts';

export type ResourceType = Readonly<{
  /** '' for the core group. */
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}>;

export type ListQuery = Readonly<{
  /** All namespaces when absent. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}>;

export type ListPage<T> = Readonly<{
  items: readonly T[];
  resourceVersion: string;
  /** Present when there are more pages. */
  continue?: string;
  remainingItemCount?: number;
}>;

export type Patch = Readonly<{
  subresource?: 'status' | 'scale' | undefined;
  fieldManager?: string | undefined;
}> &
  (
    | Readonly<{ type: 'Merge'; body: unknown }>
    | Readonly<{
        type: 'Json';
        body: readonly Readonly<{ op: string; path: string; value?: unknown; from?: string }>[];
      }>
    | Readonly<{ type: 'Apply'; body: unknown; fieldManager: string; force?: boolean | undefined }>
  );

export type DeleteOptions = Readonly<{
  /** Preconditions: 409 when another object has the name by now, or when it was written in between. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}>;

export type DeleteResult<T> = Readonly<
  | { outcome: 'Deleted'; uid: string | undefined }
  /** Finalizers hold it: it is there until the last one is removed. */
  | { outcome: 'Deleting'; object: T }
  | { outcome: 'Absent' }
>;

export type ResourceClient<T extends KubeObject> = Readonly<{
  type: ResourceType;
  get: (ref: ObjectRef, options?: CallOptions) => Promise<T | undefined>;
  list: (query?: ListQuery, options?: CallOptions) => Promise<ListPage<T>>;
  /** Throws AlreadyExists (409), Invalid (422). `apiVersion` and `kind` are filled in. */
  create: (object: Draft<T>, options?: CallOptions) => Promise<T>;
  /** PUT of the whole object; a compare-and-swap when it carries a resourceVersion. Ignores `status`. */
  update: (object: T, options?: CallOptions) => Promise<T>;
  /** PUT of `/status`: ignores spec, labels and finalizers. */
  updateStatus: (object: T, options?: CallOptions) => Promise<T>;
  patch: (ref: ObjectRef, patch: Patch, options?: CallOptions) => Promise<T>;
  delete: (ref: ObjectRef, preconditions?: DeleteOptions, options?: CallOptions) => Promise<DeleteResult<T>>;
  /** Connects when iterated. Throws KubeError for an ERROR event, also 410 inside a 200 stream. */
  watch: (query: WatchQuery, options?: { signal?: AbortSignal | undefined }) => AsyncIterable<WatchEvent<T>>;
}>;

const PATCH_TYPES = {
  Merge: 'application/merge-patch+json',
  Json: 'application/json-patch+json',
  Apply: 'application/apply-patch+yaml', // JSON is YAML
} as const satisfies Record<Patch['type'], string>;

export function createResourceClient<T extends KubeObject>(
  client: Pick<KubeClient, 'raw' | 'stream'>,
  type: ResourceType,
): ResourceClient<T> {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  const path = pathsOf(type);
  // The casts below are the edge where `T` is trusted; see the top comment.
  const answer = async (request: Parameters<KubeClient['raw']>[0]): Promise<T> =>
    (await client.raw(request)).body as T;
  const typed = (object: Draft<T> | T) => ({ ...object, apiVersion, kind: type.kind });

  return {
    type,
    get: async (ref, options) => {
      try {
        return await answer({ ...options, method: 'GET', path: path.one(ref) });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    list: async ({ namespace, ...query } = {}, options) => {
      const { body } = await client.raw({ ...options, method: 'GET', path: path.all(namespace), query });
      return toPage<T>(body as RawList<T>, { apiVersion, kind: type.kind });
    },
    create: (object, options) =>
      answer({ ...options, method: 'POST', path: path.all(object.metadata.namespace), body: typed(object) }),
    update: (object, options) =>
      answer({ ...options, method: 'PUT', path: path.one(object.metadata), body: typed(object) }),
    updateStatus: (object, options) =>
      answer({ ...options, method: 'PUT', path: `${path.one(object.metadata)}/status`, body: typed(object) }),
    patch: (ref, patch, options) =>
      answer({
        ...options,
        method: 'PATCH',
        path: path.one(ref) + (patch.subresource ? `/${patch.subresource}` : ''),
        query: {
          fieldManager: patch.fieldManager,
          force: patch.type === 'Apply' ? patch.force : undefined,
        },
        contentType: PATCH_TYPES[patch.type],
        body: patch.type === 'Apply' ? { ...Object(patch.body), apiVersion, kind: type.kind } : patch.body,
      }),
    delete: async (ref, { uid, resourceVersion, propagationPolicy } = {}, options) => {
      const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined;
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy };
      try {
        const { body: result } = await client.raw({
          ...options,
          method: 'DELETE',
          path: path.one(ref),
          body,
        });
        return toDeleteResult<T>(result);
      } catch (error) {
        if (isNotFound(error)) return { outcome: 'Absent' };
        throw error;
      }
    },
    watch: ({ namespace, ...query }, options) =>
      watchResource<T>(client, { path: path.all(namespace), query, signal: options?.signal }),
  };
}

function pathsOf({ group, version, plural, namespaced }: ResourceType): {
  all: (namespace: string | undefined) => string;
  one: (ref: ObjectRef) => string;
} {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const all = (namespace: string | undefined): string =>
    namespaced && namespace
      ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
      : `${root}/${plural}`;
  return { all, one: ({ namespace, name }) => `${all(namespace)}/${encodeURIComponent(name)}` };
}

type RawList<T> = Readonly<{
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[] | null;
}>;

/** Items of built-in kinds come without apiVersion and kind; a cache wants them. */
function toPage<T extends KubeObject>(
  { metadata, items }: RawList<T>,
  { apiVersion, kind }: { apiVersion: string; kind: string },
): ListPage<T> {
  const complete = (items ?? []).map((item) => (item.kind ? item : { ...item, apiVersion, kind }));
  return {
    items: complete,
    resourceVersion: metadata.resourceVersion,
    ...(metadata.continue ? { continue: metadata.continue } : {}),
    ...(metadata.remainingItemCount === undefined ? {} : { remainingItemCount: metadata.remainingItemCount }),
  };
}

type DeletionStatus = Readonly<{ apiVersion: 'v1'; kind: 'Status'; details?: { uid?: string } }>;

/** DELETE answers a `Status` with the uid when the object is gone, and the object while something holds it. */
function toDeleteResult<T extends KubeObject>(result: unknown): DeleteResult<T> {
  const body = result as T | DeletionStatus;
  if (isDeletionStatus(body)) return { outcome: 'Deleted', uid: body.details?.uid };
  return body.metadata.deletionTimestamp === undefined
    ? { outcome: 'Deleted', uid: body.metadata.uid }
    : { outcome: 'Deleting', object: body };
}

const isDeletionStatus = (body: KubeObject | DeletionStatus): body is DeletionStatus =>
  body.apiVersion === 'v1' && body.kind === 'Status';
