import { expect, test } from 'vitest';
import { Problem } from '../../crds/problem.ts';
import { DEPTH_MAX, parseJson } from './json.ts';

const parse = (text: string): unknown => parseJson(Buffer.from(text));
const refusal = (raw: Buffer | string): string => {
  try {
    parseJson(Buffer.from(raw));
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
};

test('reads what is JSON, and nothing from an empty body', () => {
  expect(parse('{"a":[1,"x",{"b":null}],"c":"\\"{[,"}')).toEqual({ a: [1, 'x', { b: null }], c: '"{[,' });
  expect(parse('null')).toBeNull();
  expect(parse('')).toBeUndefined();
  expect(parse('  \n')).toBeUndefined();
});

test('refuses what is no JSON with 400', () => {
  for (const bad of ['{', '{"a":}', 'nope', "{'a':1}", '{"a":1}x', '\u0000'])
    expect(refusal(bad)).toMatch(/^BadRequest: The body cannot be read/);
  expect(refusal(Buffer.from([0x22, 0xff, 0x22]))).toContain('not UTF-8');
});

test('refuses a key that is there twice, also when it is spelt with escapes, at any depth', () => {
  expect(refusal('{"a":1,"a":2}')).toContain('"a" is there twice');
  expect(refusal('{"a":1,"\\u0061":2}')).toContain('"a" is there twice');
  expect(refusal('{"x":[{"b":{},"c":[],"b":0}]}')).toContain('"b" is there twice');
  expect(refusal('[{"a":1},{"a":2}]')).toBe('accepted');
  expect(refusal('{"a":{"a":"a"},"b":["a","a"]}')).toBe('accepted');
});

test('refuses __proto__ as a key and pollutes nothing', () => {
  expect(refusal('{"__proto__":{"admin":true}}')).toContain('__proto__');
  expect(refusal('{"\\u005f_proto__":1}')).toContain('__proto__');
  expect(refusal('{"a":"__proto__"}')).toBe('accepted');
});

test(`refuses what nests deeper than ${DEPTH_MAX} levels`, () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(refusal(nested(DEPTH_MAX))).toBe('accepted');
  expect(refusal(nested(DEPTH_MAX + 1))).toContain('nests deeper');
  expect(refusal(nested(100_000))).toContain('nests deeper');
});
