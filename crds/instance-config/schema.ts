/**
 * Which JSON Schemas an offering may carry for `instanceConfig`. A provider writes them and everybody's facade runs
 * them, so the language is closed: what is not listed here is refused by name, nothing is fetched, nothing refers to
 * itself, and size, depth, patterns and lists are bounded. What is left is checked in time that grows with
 * config × what is counted here.
 */
import { isObject, type JSONType } from './json.ts';
import { compilePattern, PATTERN_SIZE_MAX, PatternError } from './pattern.ts';

export const SCHEMA_BYTES_MAX = 8 * 1024;
const DEPTH_MAX = 12;
/** Of lists and objects in each other, those of `enum` and `examples` too; looked at before anything walks it. */
export const SCHEMA_DEPTH_MAX = 64;
/** Schemas within the schema, each as often as it is referred to. */
const NODES_MAX = 256;
/** What a value is compared with, as often as it is referred to: members of `enum`, names that are `required`. */
const COMPARED_MAX = 2048;
/** Each item is compared with each other. */
const UNIQUE_ITEMS_MAX = 64;
export const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** What stands below a keyword: one schema, several, named ones, ones named by a pattern, or no schema. */
const KEYWORDS: Readonly<Record<string, 'One' | 'List' | 'Named' | 'Patterns' | 'Value'>> = {
  ...{ $schema: 'Value', $defs: 'Named', $ref: 'Value', $comment: 'Value' },
  ...{ title: 'Value', description: 'Value', default: 'Value', examples: 'Value', deprecated: 'Value' },
  ...{ type: 'Value', enum: 'Value', const: 'Value' },
  ...{ minimum: 'Value', maximum: 'Value', exclusiveMinimum: 'Value', exclusiveMaximum: 'Value' },
  ...{ multipleOf: 'Value', minLength: 'Value', maxLength: 'Value', pattern: 'Value' },
  ...{ items: 'One', prefixItems: 'List', contains: 'One', minContains: 'Value', maxContains: 'Value' },
  ...{ minItems: 'Value', maxItems: 'Value', uniqueItems: 'Value' },
  ...{
    properties: 'Named',
    patternProperties: 'Patterns',
    additionalProperties: 'One',
    propertyNames: 'One',
  },
  ...{ required: 'Value', minProperties: 'Value', maxProperties: 'Value' },
  ...{ dependentRequired: 'Value', dependentSchemas: 'Named' },
  ...{ allOf: 'List', anyOf: 'List', oneOf: 'List', not: 'One', if: 'One', then: 'One', else: 'One' },
};

const REF = /^#\/\$defs\/([A-Za-z0-9_-]{1,64})$/;

export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

type Walk = {
  readonly root: Readonly<Record<string, JSONType>>;
  nodes: number;
  keywords: number;
  compared: number;
  patterns: number;
};
type Place = Readonly<{ path: string; depth: number; within: readonly string[] }>;

/**
 * Returns how many violations one value can have at most. Throws SchemaError, a sentence without its subject: what is
 * wrong, where, and what is allowed.
 */
export function requireBounded(schema: Readonly<Record<string, JSONType>>): number {
  if (Buffer.byteLength(JSON.stringify(schema)) > SCHEMA_BYTES_MAX)
    throw new SchemaError(`is larger than ${SCHEMA_BYTES_MAX / 1024} KiB`);
  const walk: Walk = { root: schema, nodes: 0, keywords: 0, compared: 0, patterns: 0 };
  visit(walk, schema, { path: '', depth: 0, within: [] });
  for (const [name, definition] of Object.entries(named(schema['$defs'] ?? {}, '/$defs')))
    visit(walk, definition, { path: `/$defs/${name}`, depth: 1, within: [name] });
  return walk.nodes + walk.keywords + walk.compared;
}

function visit(walk: Walk, node: JSONType, place: Place): void {
  const { path, depth, within } = place;
  if (++walk.nodes > NODES_MAX) throw new SchemaError(`has more than ${NODES_MAX} schemas in it`);
  if (typeof node === 'boolean' && path !== '') return;
  if (!isObject(node)) throw new SchemaError(`has at ${path || '/'} something that is no schema`);
  if (depth > DEPTH_MAX) throw new SchemaError(`is more than ${DEPTH_MAX} schemas deep at ${path}`);
  countCompared(walk, node, path);
  const below = (child: JSONType, at: string) =>
    visit(walk, child, { path: `${path}/${at}`, depth: depth + 1, within });
  for (const [keyword, value] of Object.entries(node)) {
    const kind = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    const at = `${path}/${keyword}`;
    walk.keywords++;
    if (kind === undefined) throw new SchemaError(`may not have ${keyword} (at ${path || '/'})`);
    if (keyword === '$defs') {
      if (path !== '') throw new SchemaError(`may have $defs only at its top, not at ${at}`);
    } else if (kind === 'One') below(value, keyword);
    else if (kind === 'List') for (const [n, one] of list(value, at).entries()) below(one, `${keyword}/${n}`);
    else if (kind !== 'Value')
      for (const [name, one] of Object.entries(named(value, at))) {
        if (kind === 'Patterns') countPattern(walk, name, at);
        below(one, `${keyword}/${name}`);
      }
    else if (keyword === 'pattern') countPattern(walk, value, at);
    else if (keyword === '$schema' && value !== DIALECT)
      throw new SchemaError(`is of another dialect; only ${DIALECT} is known here`);
    else if (keyword === '$ref') follow(walk, value, { path: at, depth, within });
  }
}

function follow(walk: Walk, value: JSONType, { path, depth, within }: Place): void {
  const name = typeof value === 'string' ? REF.exec(value)?.[1] : undefined;
  const target = name === undefined ? undefined : named(walk.root['$defs'] ?? {}, '/$defs')[name];
  if (name === undefined || target === undefined)
    throw new SchemaError(`refers at ${path} to what is not in it; only #/$defs/NAME is allowed`);
  if (within.includes(name)) throw new SchemaError(`refers at ${path} to itself`);
  visit(walk, target, { path, depth: depth + 1, within: [...within, name] });
}

function countPattern(walk: Walk, value: JSONType, path: string): void {
  if (typeof value !== 'string') throw new SchemaError(`has a pattern at ${path} that is no string`);
  try {
    walk.patterns += compilePattern(value).size;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new SchemaError(`has a pattern at ${path} that ${error.message}`, { cause: error });
  }
  if (walk.patterns > PATTERN_SIZE_MAX)
    throw new SchemaError(`has patterns of more than ${PATTERN_SIZE_MAX} steps together: repeat less`);
}

function countCompared(walk: Walk, node: Readonly<Record<string, JSONType>>, path: string): void {
  const { enum: values, required, dependentRequired = {}, uniqueItems, maxItems } = node;
  const lists = [values, required, ...(isObject(dependentRequired) ? Object.values(dependentRequired) : [])];
  for (const members of lists) walk.compared += Array.isArray(members) ? members.length : 1;
  if (uniqueItems === true) {
    if (typeof maxItems !== 'number' || maxItems > UNIQUE_ITEMS_MAX)
      throw new SchemaError(
        `needs maxItems of at most ${UNIQUE_ITEMS_MAX} beside uniqueItems, at ${path || '/'}`,
      );
    walk.compared += maxItems;
  }
  if (walk.compared > COMPARED_MAX)
    throw new SchemaError(`compares with more than ${COMPARED_MAX} values: list fewer`);
}

function list(value: JSONType, path: string): readonly JSONType[] {
  if (Array.isArray(value)) return value;
  throw new SchemaError(`needs a list at ${path}`);
}

function named(value: JSONType, path: string): Readonly<Record<string, JSONType>> {
  if (!isObject(value)) throw new SchemaError(`needs an object at ${path}`);
  if (Object.hasOwn(value, '__proto__')) throw new SchemaError(`may name nothing __proto__ (at ${path})`);
  return value;
}
