import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareResourceVersions, keyOf, microTime, refOf } from './object.ts';

test('a key and its reference are the same thing', () => {
  for (const ref of [{ namespace: 'ns', name: 'a' }, { name: 'b' }]) {
    expect(refOf(keyOf({ metadata: ref }))).toEqual(ref);
  }
});

test('MicroTime has exactly six fraction digits', () => {
  expect(microTime(new Date('2026-11-21T03:04:05.6Z'))).toBe('2026-11-21T03:04:05.600000Z');
});

test('resourceVersions are compared as integers of any size', () => {
  expect(compareResourceVersions('9', '10')).toBeLessThan(0);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 70n }), fc.bigInt({ min: 0n, max: 2n ** 70n }), (a, b) => {
      const sign = Math.sign(compareResourceVersions(`${a}`, `${b}`));
      expect(sign).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});
