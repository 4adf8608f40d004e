import { expect, test } from 'vitest';
import { refusalOfConfig } from './check.ts';
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

test('a config that is made to cost much is answered soon', () => {
  const schema = {
    properties: {
      a: { pattern: '^(a|a)*$', allOf: [{ pattern: '^(.{0,9}){0,90}$' }, { pattern: '^([^b]*c)*$' }] },
      l: { type: 'array', uniqueItems: true },
    },
  };
  const startedMs = performance.now();
  refusalOfConfig({ a: `${'a'.repeat(15_000)}!` }, schema);
  refusalOfConfig({ l: Array.from({ length: 1900 }, (_, n) => [n]) }, schema);
  expect(performance.now() - startedMs).toBeLessThan(5000);
});

test('patterns of one schema are told apart', () => {
  const schema = { properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } };
  expect(refusalOfConfig({ a: 'a', b: 'b' }, schema)).toBeUndefined();
  expect(refusalOfConfig({ a: 'a', b: 'a' }, schema)?.violations).toMatchObject([{ pointer: '/b' }]);
});
