import { expect, test } from 'vitest';
import { problemOfSchema } from './check.ts';
import type { JSONType } from './json.ts';

type Schema = Readonly<Record<string, JSONType>>;
const nested = (levels: number): Schema => (levels === 0 ? {} : { items: nested(levels - 1) });
const deepList = (levels: number): JSONType =>
  Array.from({ length: levels }).reduce<JSONType>((inner) => [inner], 1);
const doubling = Object.fromEntries(
  Array.from({ length: 5 }, (_, n) => [
    `d${n}`,
    n === 4
      ? { type: 'string' }
      : { allOf: Array.from({ length: 6 }, () => ({ $ref: `#/$defs/d${n + 1}` })) },
  ]),
);

const good: [string, Schema][] = [
  ['nothing', {}],
  [
    'properties',
    { type: 'object', properties: { image: { enum: ['debian', 'ubuntu'] } }, required: ['image'] },
  ],
  [
    'a definition that is used twice',
    {
      $defs: { port: { type: 'integer' } },
      properties: { a: { $ref: '#/$defs/port' }, b: { $ref: '#/$defs/port' } },
    },
  ],
  ['a property named as a keyword', { properties: { $ref: { type: 'string' }, format: true } }],
  ['the dialect', { $schema: 'https://json-schema.org/draft/2020-12/schema' }],
  ['a pattern that JavaScript would hang on', { properties: { a: { pattern: '^(a+)+$' } } }],
];
test.each(good)('may be: %s', (_name, schema) => expect(problemOfSchema(schema)).toBeUndefined());

const bad: [string, Schema, string][] = [
  [
    'a reference to another place',
    { $ref: 'https://evil.example/schema' },
    'refers at /$ref to what is not in it',
  ],
  [
    'a reference to the whole',
    { properties: { a: { $ref: '#' } } },
    'refers at /properties/a/$ref to what is not in it',
  ],
  [
    'a reference to itself',
    { $defs: { a: { items: { $ref: '#/$defs/a' } } } },
    'refers at /$defs/a/items/$ref to itself',
  ],
  [
    'a circle',
    { $defs: { a: { not: { $ref: '#/$defs/b' } }, b: { not: { $ref: '#/$defs/a' } } } },
    'to itself',
  ],
  ['references that double each time', { $defs: doubling, $ref: '#/$defs/d0' }, 'has more than 256 schemas'],
  ['depth', nested(13), 'is more than 12 schemas deep'],
  ['size', { description: 'x'.repeat(9000) }, 'is larger than 8 KiB'],
  [
    'a keyword that is not checked',
    { properties: { a: { format: 'email' } } },
    'may not have format (at /properties/a)',
  ],
  ['an id', { $id: 'http://a' }, 'may not have $id (at /)'],
  ['a dynamic reference', { $dynamicRef: '#a' }, 'may not have $dynamicRef'],
  ['another dialect', { $schema: 'http://json-schema.org/draft-04/schema#' }, 'is of another dialect'],
  ['look-ahead', { properties: { a: { pattern: '(?=a)' } } }, 'is no RE2 pattern'],
  [
    'a list of nothing',
    { properties: { a: { enum: [] } } },
    'cannot be compiled: enum must have non-empty array',
  ],
  ['lists in each other', { const: deepList(9999) }, 'is more than 64 levels deep'],
  ['what nothing fits, a thousand times', { allOf: Array(1000).fill(false) }, 'has more than 256 schemas'],
  ['lists without bound that are compared', { uniqueItems: true }, 'needs maxItems of at most 64'],
  [
    'lists that are compared again and again',
    {
      $defs: { a: { enum: Array.from({ length: 1000 }, (_, n) => n) } },
      allOf: Array(3).fill({ $ref: '#/$defs/a' }),
    },
    'compares with more than 2048 values',
  ],
  [
    'patterns without end',
    { properties: { a: { pattern: 'a{300}' }, b: { pattern: 'a{300}' } } },
    'more than 500 steps together',
  ],
  ['a pattern in a name', { patternProperties: { '(': {} } }, 'has a pattern at /patternProperties that'],
  ['a wrong type', { type: 'text' }, 'is no JSON Schema: /type'],
  ['a wrong bound', { minLength: -1 }, 'is no JSON Schema: /minLength'],
  ['a list where a schema belongs', { items: [] }, 'something that is no schema'],
  ['__proto__', JSON.parse('{"properties":{"__proto__":{}}}'), 'may name nothing __proto__'],
];
test.each(bad)('may not be: %s', (_name, schema, problem) =>
  expect(problemOfSchema(schema)).toContain(problem),
);
