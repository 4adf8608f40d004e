/**
 * Every way to break a value against its own JSON schema, one leaf at a time: another type, over and under each
 * bound, outside the enum, against the pattern, a field that is not known, a required one missing. Made from
 * the schema that validates, so that a new field is tested the day it is added.
 */
type Schema = Readonly<Record<string, unknown>>;
export type Mutation = Readonly<{
  name: string;
  path: string;
  value: unknown;
  kind: 'type' | 'bound' | 'unknown' | 'required';
}>;

export function mutationsOf(schema: Schema, value: unknown): Mutation[] {
  return at(schema, { value, path: [], rebuild: (changed) => changed });
}

type Place = Readonly<{ value: unknown; path: readonly string[]; rebuild: (changed: unknown) => unknown }>;

function at(schema: Schema, place: Place): Mutation[] {
  const { value, path, rebuild } = place;
  const broken = (kind: Mutation['kind'], name: string, changed: unknown): Mutation => ({
    kind,
    name: `${path.join('.') || '(root)'}: ${name}`,
    path: path.join('.'),
    value: rebuild(changed),
  });
  switch (schema['type']) {
    case 'object':
      return objectMutations(schema, place, broken);
    case 'array':
      return arrayMutations(schema, place, broken);
    case 'string':
      return [broken('type', 'a number', 12), ...stringBounds(schema, broken)];
    case 'integer':
      return [
        broken('type', 'a word', 'many'),
        broken('type', 'a fraction', 1.5),
        ...numberBounds(schema, broken),
      ];
    case 'boolean':
      return [broken('type', 'a word', 'yes')];
    default:
      return value === undefined ? [] : [broken('type', 'a list', [[]])];
  }
}

type Break = (kind: Mutation['kind'], name: string, changed: unknown) => Mutation;

function objectMutations(schema: Schema, { value, path, rebuild }: Place, broken: Break): Mutation[] {
  const source = isObject(value) ? value : {};
  const properties = isObject(schema['properties']) ? schema['properties'] : undefined;
  const mutations = [broken('type', 'a word', 'word')];
  if (!properties) return mutations;
  mutations.push(broken('unknown', 'an unknown field', { ...source, notAField: 1 }));
  for (const required of Array.isArray(schema['required']) ? schema['required'].map(String) : []) {
    const { [required]: _gone, ...rest } = source;
    mutations.push({
      ...broken('required', `without ${required}`, rest),
      path: [...path, required].join('.'),
    });
  }
  for (const [key, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    const child = source[key] ?? exampleOf(property);
    mutations.push(
      ...at(property, {
        value: child,
        path: [...path, key],
        rebuild: (changed) => rebuild({ ...source, [key]: changed }),
      }),
    );
  }
  return mutations;
}

function arrayMutations(schema: Schema, { value, path, rebuild }: Place, broken: Break): Mutation[] {
  const items = isObject(schema['items']) ? schema['items'] : {};
  const first = (Array.isArray(value) ? value[0] : undefined) ?? exampleOf(items);
  const mutations = [broken('type', 'a word', 'word')];
  const max = schema['maxItems'];
  if (typeof max === 'number' && max <= 64)
    mutations.push(
      broken(
        'bound',
        `${max + 1} items`,
        Array.from({ length: max + 1 }, () => first),
      ),
    );
  const min = schema['minItems'];
  if (typeof min === 'number' && min > 0) mutations.push(broken('bound', 'no items', []));
  return [
    ...mutations,
    ...at(items, { value: first, path: [...path, '0'], rebuild: (changed) => rebuild([changed]) }),
  ];
}

function stringBounds(schema: Schema, broken: Break): Mutation[] {
  const mutations: Mutation[] = [];
  const { maxLength, minLength, pattern } = schema;
  if (Array.isArray(schema['enum'])) mutations.push(broken('bound', 'outside the enum', 'not-one-of-them'));
  if (typeof maxLength === 'number' && maxLength < 100_000)
    mutations.push(broken('bound', 'too long', 'a'.repeat(maxLength + 1)));
  if (typeof minLength === 'number' && minLength > 0) mutations.push(broken('bound', 'empty', ''));
  if (typeof pattern === 'string') mutations.push(broken('bound', 'against the pattern', '\u0001 no \u0001'));
  return mutations;
}

function numberBounds(schema: Schema, broken: Break): Mutation[] {
  const mutations: Mutation[] = [];
  if (typeof schema['minimum'] === 'number')
    mutations.push(broken('bound', 'too small', schema['minimum'] - 1));
  if (typeof schema['maximum'] === 'number' && schema['maximum'] < Number.MAX_SAFE_INTEGER)
    mutations.push(broken('bound', 'too large', schema['maximum'] + 1));
  return mutations;
}

/** Something of the right type, so that what lies below an optional field can be broken too. */
function exampleOf(schema: Schema): unknown {
  if ('default' in schema) return schema['default'];
  switch (schema['type']) {
    case 'object':
      return {};
    case 'array':
      return [];
    case 'integer':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return false;
    default:
      return Array.isArray(schema['enum']) ? schema['enum'][0] : 'x';
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
