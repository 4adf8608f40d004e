import { expect, test } from 'vitest';
import { compareVersions } from './version.ts';

test('each is older than the next', () => {
  const inOrder = [
    'unknown',
    '0.6.0',
    '0.10.0',
    '1.0.0-5',
    '1.0.0--a',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.2',
    '2.0.0',
  ];
  for (const [at, older] of inOrder.entries())
    for (const newer of inOrder.slice(at + 1)) {
      expect(compareVersions(older, newer), `${older} < ${newer}`).toBeLessThan(0);
      expect(compareVersions(newer, older), `${newer} > ${older}`).toBeGreaterThan(0);
    }
});

test.each([
  ['1.2.0', '1.2'],
  ['1.0.0', '1.0.0+build.5'],
  ['v1.0.0', '1.0.0'],
  ['nonsense', ''],
])('%s and %s are equal', (a, b) => expect(compareVersions(a, b)).toBe(0));
