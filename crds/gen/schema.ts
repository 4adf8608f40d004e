/**
 * zod → structural OpenAPI schema of a CRD, by one walk over `z.toJSONSchema`. Keeps what the API server knows,
 * drops what it would refuse as an unknown field, and throws on what a structural schema cannot say: a schema
 * that lost a rule in silence would be worse than none. Facts: docs/kubernetes.md, "zod → CRD".
 */
import { z } from 'zod';

export type JsonSchema = { [key: string]: unknown };

const KEPT = new Set([
  'type',
  'description',
  'enum',
  'default',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'nullable',
]);
const FORMATS = new Set(['date-time', 'int32', 'int64', 'byte', 'double']);

/** Throws with the path of the field that cannot be expressed. */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  return walk(json, '');
}

function walk(node: unknown, path: string): JsonSchema {
  if (!isObject(node)) throw new Error(`${path || '(root)'}: not a schema`);
  const source = flattenAllOf(node, path);
  if (isFreeForm(source))
    return withMeta(source, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  const type = source['type'];
  if (typeof type !== 'string') throw new Error(`${path || '(root)'}: a structural schema needs one type`);
  const out: JsonSchema = {};
  for (const [key, value] of Object.entries(source)) if (KEPT.has(key)) out[key] = value;
  const format = source['format'];
  if (typeof format === 'string' && FORMATS.has(format)) out['format'] = format;
  if (type === 'integer') out['format'] = 'int64';
  if (isObject(source['properties']))
    out['properties'] = Object.fromEntries(
      Object.entries(source['properties']).map(([key, value]) => [key, walk(value, `${path}.${key}`)]),
    );
  if (source['items'] !== undefined) out['items'] = walk(source['items'], `${path}[]`);
  if (isObject(source['additionalProperties']))
    out['additionalProperties'] = walk(source['additionalProperties'], `${path}{}`);
  if (type === 'string' && out['maxLength'] === undefined && out['enum'] === undefined)
    throw new Error(`${path}: every string needs a bound (.max())`);
  if (type === 'array' && out['maxItems'] === undefined)
    throw new Error(`${path}: every list needs a bound (.max())`);
  return withMeta(source, out);
}

/** `x-kubernetes-*` keys of `.meta()` go through as they are. */
function withMeta(source: JsonSchema, out: JsonSchema): JsonSchema {
  if (typeof source['description'] === 'string') out['description'] = source['description'];
  for (const [key, value] of Object.entries(source)) if (key.startsWith('x-kubernetes-')) out[key] = value;
  return out;
}

/** `.meta()` on a wrapped schema comes out as `allOf: [one]`, which a structural schema refuses. */
function flattenAllOf(node: JsonSchema, path: string): JsonSchema {
  const { allOf, ...rest } = node;
  if (allOf === undefined) return node;
  if (!Array.isArray(allOf) || allOf.length !== 1 || !isObject(allOf[0]))
    throw new Error(`${path}: two rules of one kind on one field (allOf) cannot be expressed`);
  return { ...flattenAllOf(allOf[0], path), ...rest };
}

/** A record of any JSON: `freeForm()` of fields.ts. */
function isFreeForm(node: JsonSchema): boolean {
  const values = node['additionalProperties'];
  return (
    node['type'] === 'object' &&
    isObject(values) &&
    (Object.keys(values).length === 0 || 'anyOf' in values || '$ref' in values)
  );
}

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
