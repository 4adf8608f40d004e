import { expect, test } from 'vitest';
import { LARGE, SMALL } from './scenarios.ts';
import { tour } from './tour.ts';

test('a million states of worlds with more faults at once keep every promise', () => {
  const { states, visits } = tour([...SMALL, ...LARGE], { quietEvery: 1000 });
  for (const { name, violation } of visits) expect(violation, name).toBeUndefined();
  expect(states).toBeGreaterThanOrEqual(1_000_000);
});
