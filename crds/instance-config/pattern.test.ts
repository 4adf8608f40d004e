import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePattern, PATTERN_STEPS_MAX } from './pattern.ts';

const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'aab',
  'abab',
  'a-1',
  '1.2.3.4',
  'vm-01',
  'ä',
  '😀',
  'a\nb',
  '-',
  ']',
  '{',
  'A_z',
];
const PATTERNS = [
  '^[a-z][a-z0-9-]{0,62}$',
  '^(debian|ubuntu)-[0-9]+$',
  '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$',
  '^(?:a|b)*$',
  'a.b',
  '^.$',
  '[^a-c]',
  '^\\w+\\s?\\d*$',
  '^(a?){3}b$',
  '|a',
  '[\\]\\-]',
  '^\\{$',
  '',
  '^[^\\n]*$',
  'a+?b',
  '(^a|b$)',
];

test.each(PATTERNS)('%s fits what JavaScript says that it fits', (source) => {
  const pattern = compilePattern(source);
  const native = new RegExp(source, 'u');
  for (const text of TEXTS) expect([text, pattern.test(text)]).toEqual([text, native.test(text)]);
});

const piece = fc.constantFrom(
  'a',
  'b',
  '[ab]',
  '[^a]',
  '.',
  '(a|b)',
  '(?:ab)',
  '\\d',
  'a*',
  '(ab)+',
  'b?',
  '(a*)*',
  'a{2,3}',
);

test('any pattern of such pieces fits as in JavaScript', () =>
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 5 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '1', '\n'), maxLength: 8 }),
      fc.boolean(),
      (pieces, text, isWhole) => {
        const source = isWhole ? `^${pieces.join('')}$` : pieces.join('|');
        return compilePattern(source).test(text) === new RegExp(source, 'u').test(text);
      },
    ),
    { numRuns: 500 },
  ));

test.each([
  ['a back reference', '(a)\\1', 'may not have \\1'],
  ['look-ahead', '(?=a)', 'may have no look-ahead'],
  ['look-behind', '(?<!a)b', 'may have no look-ahead'],
  ['a word boundary', '\\bword', 'may not have \\b'],
  ['a repetition of a repetition', 'a**', 'repeats a repetition'],
  ['an open group', '(a', 'has a ( that is not closed'],
  ['an open class', '[a', 'ends too early'],
  ['a range that goes backwards', '[z-a]', 'has a range out of order'],
  ['more steps than it may have', '(a{999}){999}', `needs more than ${PATTERN_STEPS_MAX} steps`],
  ['nothing, repeated a million times', '((){999}){999}', `needs more than ${PATTERN_STEPS_MAX} steps`],
  ['groups deep in each other', '('.repeat(99) + ')'.repeat(99), 'groups in each other'],
  ['a wrong count', 'a{3,1}', 'has numbers out of order'],
])('refuses %s', (_name, source, message) => expect(() => compilePattern(source)).toThrow(message));

test('what takes JavaScript years takes as long as its text', () => {
  const startedMs = performance.now();
  expect(compilePattern('^(a+)+$').test(`${'a'.repeat(16_000)}!`)).toBe(false);
  expect(compilePattern('^(a|a|aa)*$').test(`${'a'.repeat(16_000)}!`)).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(2000);
});
