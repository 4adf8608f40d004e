import { expect, test } from 'vitest';
import { compilePattern, PATTERN_SIZE_MAX, PatternError } from './pattern.ts';

/** What offerings ask for in practice must fit as JSON Schema says, which is as in JavaScript. */
const TEXTS = ['', 'a', 'ab', 'abab', 'a-1', '1.2.3.4', 'vm-01', 'ä', '😀', 'a\nb', '-', '{', 'A_z'];
const PATTERNS = [
  '^[a-z][a-z0-9-]{0,62}$',
  '^(debian|ubuntu)-[0-9]+$',
  '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$',
  '^(?:a|b)*$',
  'a.b',
  '^.$',
  '[^a-c]',
  '^\\w+\\s?\\d*$',
  '|a',
  '',
];
test.each(PATTERNS)('%s fits what JavaScript says that it fits', (source) => {
  const pattern = compilePattern(source);
  const native = new RegExp(source, 'u');
  for (const text of TEXTS) expect([text, pattern.test(text)]).toEqual([text, native.test(text)]);
});

test.each([
  ['a back reference', '(a)\\1', 'is no RE2 pattern: invalid escape sequence'],
  ['look-ahead', '(?=a)', 'is no RE2 pattern: invalid or unsupported Perl syntax'],
  ['an open group', '(a', 'is no RE2 pattern: missing closing )'],
  ['a repetition without end of repetitions', '((){999}){999}', 'is no RE2 pattern'],
  ['groups deep in each other', '('.repeat(9999), 'is no RE2 pattern'],
])('refuses %s', (_name, source, message) => {
  expect(() => compilePattern(source)).toThrow(PatternError);
  expect(() => compilePattern(source)).toThrow(message);
});

const ab = Array.from({ length: 16_000 }, (_, n) => ((n * 7919) % 13 > 6 ? 'a' : 'b')).join('');
const wide = `^(?:[^${Array.from({ length: 2000 }, (_, n) => String.fromCodePoint(0x4000 + 2 * n)).join('')}]?){240}X$`;
test.each([
  '^(a+)+$',
  '^(a|a|aa)*$',
  '^(?:[ab]*a[ab]{480})$',
  '^(?:(?:a|b)?){240}$',
  '^(.{0,9}){0,20}X',
  wide,
])('as large as it may be, soon answered: %.24s', (source) => {
  const pattern = compilePattern(source);
  expect(pattern.size).toBeLessThan(PATTERN_SIZE_MAX);
  const startedMs = performance.now();
  for (const text of [`${'a'.repeat(16_000)}!`, ab]) pattern.test(text);
  expect(performance.now() - startedMs).toBeLessThan(3000);
});
