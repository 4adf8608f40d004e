/**
 * What a resource of ours is made of. A definition is the one source of its TypeScript type, its CRD manifest
 * (`crds/gen/`) and its validation.
 */
import type { z } from 'zod';
import { GROUP, VERSION } from './group.ts';

/** The part of `metav1.ObjectMeta` that this program reads or writes. */
export type ObjectMeta = {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
};

export type Resource<Kind extends string, Spec, Status> = {
  apiVersion: string;
  kind: Kind;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
};

/** A column of `kubectl get`; `priority` 1 shows only with `-o wide`. */
export type PrinterColumn = Readonly<{
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date';
  jsonPath: string;
  description: string;
  priority?: 0 | 1;
}>;

/** A CEL rule on the whole object. Must hold when nothing changed: it runs on every write, never ratcheted. */
export type Rule = Readonly<{
  rule: string;
  message?: string;
  messageExpression?: string;
  optionalOldSelf?: true;
}>;

export type ResourceDefinition<Kind extends string = string> = Readonly<{
  kind: Kind;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  scope: 'Namespaced' | 'Cluster';
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: readonly PrinterColumn[];
  rules: readonly Rule[];
  selectableFields: readonly string[];
}>;

/** Where the API server has it, as clients of `kube/` want to know it. */
export const resourceTypeOf = ({ plural, kind, scope }: ResourceDefinition) =>
  ({ group: GROUP, version: VERSION, plural, kind, namespaced: scope === 'Namespaced' }) as const;

/** Keeps the literal kind in the type. */
export const defineResource = <const Kind extends string>(
  definition: ResourceDefinition<Kind>,
): ResourceDefinition<Kind> => definition;

/** The AGE column that every table ends with. */
export const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
};

/** Status that was written can't be taken away again: everything would become a first set. */
export const STATUS_STAYS: Rule = {
  rule: 'has(self.status) || !has(oldSelf.status)',
  message: 'status cannot be removed',
};
