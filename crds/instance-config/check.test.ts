import { expect, test } from 'vitest';
import { problemOfSchema, refusalOfConfig } from './check.ts';
import type { JSONType } from './json.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    image: { enum: ['debian-13', 'ubuntu-26'] },
    disk: { type: 'object', properties: { 'a/b': { type: 'integer', maximum: 64 } }, required: ['a/b'] },
    hostname: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,30}$' },
    ports: { type: 'array', items: { type: 'integer', minimum: 1 }, maxItems: 4 },
  },
  required: ['image'],
  additionalProperties: false,
} as const satisfies JSONType;

const deep = (levels: number): JSONType => (levels === 0 ? 1 : { a: deep(levels - 1) });
type Case = [string, Readonly<Record<string, JSONType>> | undefined, string[] | undefined];
const cases: Case[] = [
  ['fits', { image: 'debian-13', hostname: 'web-1', ports: [22] }, undefined],
  ['what is missing', {}, ['/image is missing']],
  ['none at all', undefined, ['/image is missing']],
  ['what is not offered', { image: 'windows' }, ['/image must be one of "debian-13", "ubuntu-26"']],
  ['what nobody knows', { image: 'debian-13', 'c~d/e': 1 }, ['/c~0d~1e is not known to the offering']],
  [
    'all of it at once',
    { image: 1, ports: [0] },
    ['/image must be one of "debian-13", "ubuntu-26"', '/ports/0 must be >= 1'],
  ],
  ['a name with a slash', { image: 'debian-13', disk: { 'a/b': 65 } }, ['/disk/a~1b must be <= 64']],
  [
    'a pattern',
    { image: 'debian-13', hostname: 'Web' },
    ['/hostname must match pattern "^[a-z][a-z0-9-]{0,30}$"'],
  ],
  [
    'what every object inherits',
    { image: 'debian-13', constructor: 1 },
    ['/constructor is not known to the offering'],
  ],
];
test.each(cases)('says of %s', (_name, config, want) => {
  const refusal = refusalOfConfig(config, SCHEMA);
  expect(refusal?.violations.map(({ pointer, message }) => `${pointer} ${message}`)).toEqual(want);
  expect(refusal?.message).toBe(want && `instanceConfig is not what the offering allows: ${want.join('; ')}`);
});

test('without a schema only size and depth count', () => {
  expect(refusalOfConfig({ anything: [1] }, undefined)).toBeUndefined();
  expect(refusalOfConfig({ a: 'ä'.repeat(9000) }, undefined)?.message).toContain('is larger than 16 KiB');
  expect(refusalOfConfig({ a: deep(20) }, undefined)?.message).toContain('is more than 16 levels deep');
});

test('a schema that cannot be used lets nothing through', () => {
  const refusal = refusalOfConfig({ a: 1 }, { $ref: 'http://elsewhere' });
  expect(refusal?.message).toContain('cannot be checked: the schema refers at /$ref');
});

const zeros = Array<number>(8000).fill(0);
const costly: [string, Readonly<Record<string, JSONType>>, Readonly<Record<string, JSONType>>][] = [
  ['patterns', { properties: { a: { pattern: '^(?:[ab]*a[ab]{480})$' } } }, { a: `${'a'.repeat(15_000)}!` }],
  [
    'errors without number',
    { properties: { a: { items: { allOf: Array(240).fill(false) } } } },
    { a: zeros },
  ],
  ['branches', { properties: { a: { items: { anyOf: Array(240).fill(false) } } } }, { a: zeros }],
  ['contains', { properties: { a: { contains: { anyOf: Array(240).fill(false) } } } }, { a: zeros }],
  [
    'lists that are compared',
    {
      properties: {
        a: { allOf: Array.from({ length: 30 }, () => ({ uniqueItems: true, maxItems: 64 })), items: {} },
      },
    },
    { a: Array.from({ length: 64 }, (_, n) => ['x'.repeat(100), n]) },
  ],
];
test.each(costly)('a config that is made to cost much is answered soon: %s', (_name, schema, config) => {
  expect(problemOfSchema(schema)).toBeUndefined();
  const startedMs = performance.now();
  refusalOfConfig(config, schema);
  expect(performance.now() - startedMs).toBeLessThan(3000);
});

test('where violations could be without number none is looked for', () => {
  const schema = { properties: { a: { items: { allOf: Array(240).fill(false) } } } };
  expect(refusalOfConfig({ a: zeros }, schema)?.violations).toEqual([
    { pointer: '', message: 'does not fit, and is too large to say where: write less of it' },
  ]);
});

test('a text that is cut ends with a whole character', () => {
  const config = { [`${'a'.repeat(198)}😀`]: 1 };
  const [violation] = refusalOfConfig(config, { additionalProperties: false })?.violations ?? [];
  expect(violation?.pointer).toHaveLength(200);
  expect(violation?.pointer.isWellFormed()).toBe(true);
});

test('patterns of one schema are told apart', () => {
  const schema = { properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } };
  expect(refusalOfConfig({ a: 'a', b: 'b' }, schema)).toBeUndefined();
  expect(refusalOfConfig({ a: 'a', b: 'a' }, schema)?.violations).toMatchObject([{ pointer: '/b' }]);
});
