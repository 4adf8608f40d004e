/**
 * What every Kubernetes object has: the shape of its metadata, its key in caches and queues, and the two value
 * formats that Node gets wrong by itself (micro-second instants and resourceVersions).
 */

export type OwnerReference = Readonly<{
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean | undefined;
  blockOwnerDeletion?: boolean | undefined;
}>;

/** Everything but the name is optional, because an object that is about to be created has no more. */
export type ObjectMeta = Readonly<{
  name: string;
  namespace?: string | undefined;
  generateName?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  generation?: number | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
  finalizers?: readonly string[] | undefined;
  ownerReferences?: readonly OwnerReference[] | undefined;
  /** RFC 3339, as the API server writes it; never a Date. */
  creationTimestamp?: string | undefined;
  /** Set by the API server on DELETE while finalizers remain. */
  deletionTimestamp?: string | undefined;
  deletionGracePeriodSeconds?: number | undefined;
  managedFields?: readonly unknown[] | undefined;
}>;

export type KubeObject = Readonly<{ apiVersion: string; kind: string; metadata: ObjectMeta }>;

/** `namespace/name`, or `name` of a cluster-scoped object: what caches and queues are keyed by. */
export type ObjectKey = string;

export type ObjectRef = Readonly<{ namespace?: string | undefined; name: string }>;

/** What `create` takes: no status, and `generateName` may stand for the name. */
export type Draft<T extends KubeObject> = Omit<T, 'metadata' | 'status' | 'apiVersion' | 'kind'> &
  Readonly<{
    apiVersion?: string;
    kind?: string;
    metadata: Partial<T['metadata']>;
    status?: unknown;
  }>;

export function keyOf(object: { metadata: ObjectRef }): ObjectKey {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

export function refOf(key: ObjectKey): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `MicroTime` (Lease, Event) takes exactly six fraction digits; `toISOString()` has three and is answered 400. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}

/**
 * Negative, 0 or positive. Comparable integers since Kubernetes 1.35, and larger than a double holds exactly.
 * Throws SyntaxError on anything but digits.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a === b) return 0;
  return BigInt(a) < BigInt(b) ? -1 : 1;
}
