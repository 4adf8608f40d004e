import { expect, test } from 'vitest';
import { whenOf } from './when.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');

test.each([
  ['now', '2026-01-01T12:00:00.000Z'],
  ['90m', '2026-01-01T13:30:00.000Z'],
  ['2h', '2026-01-01T14:00:00.000Z'],
  ['3d', '2026-01-04T12:00:00.000Z'],
  ['2026-01-31T22:00:00+01:00', '2026-01-31T21:00:00.000Z'],
])('%s', (text, want) => expect(whenOf(text, { option: '--from', now: NOW })).toBe(want));

test.each(['', '2', 'tomorrow', '1h30m', '2026-13-01T00:00:00Z', '22:00'])('not %j', (text) =>
  expect(() => whenOf(text, { option: '--from', now: NOW })).toThrow('is no time'),
);
