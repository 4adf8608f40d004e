import { expect, test } from 'vitest';
import { presentCondition } from './present.ts';

test('a tenant reads what is wrong with its settings, and nothing that names a host', () => {
  const said = { status: 'False', lastTransitionTime: '2026-01-01T12:00:00Z' } as const;
  const shown = (type: string, reason: string, message: string) =>
    presentCondition({ ...said, type, reason, message }).message;
  expect(shown('InstanceConfigValid', 'InstanceConfigInvalid', '/image must be "a"')).toBe(
    '/image must be "a"',
  );
  expect(shown('Schedulable', 'NoCapacity', 'node-1 is full')).toBe('Schedulable is False: no capacity');
});
