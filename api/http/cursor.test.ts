import { expect, test } from 'vitest';
import { Problem } from '../../crds/problem.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

test('gives back what went in', () => {
  expect(decodeCursor(encodeCursor(['live', '2026-01-01T00:00:00Z', '']), 3)).toEqual([
    'live',
    '2026-01-01T00:00:00Z',
    '',
  ]);
});

test('refuses what this server did not make', () => {
  for (const bad of [
    '',
    'x',
    'bGl2ZQ',
    encodeCursor(['a', 'b']),
    `${encodeCursor(['a', 'b', 'c'])}=`,
    '../../etc',
  ])
    expect(() => decodeCursor(bad, 3)).toThrow(Problem);
});
