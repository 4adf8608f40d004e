import { expect, test } from 'vitest';
import { MOVE_KINDS } from './move.ts';
import { SMALL } from './scenarios.ts';
import { tour } from './tour.ts';

// About 25 s on a quiet machine.
test('every interleaving of the small worlds keeps every promise, and comes to a good end', {
  timeout: 600_000,
}, () => {
  const { states, fired, visits } = tour(SMALL);
  for (const { name, violation } of visits) expect(violation, name).toBeUndefined();
  expect(states).toBeGreaterThanOrEqual(250_000);
  for (const kind of MOVE_KINDS) expect(fired[kind], `how often ${kind} fired`).toBeGreaterThanOrEqual(1000);
  // Bounded by faults alone: a world that was cut off would prove less than it says.
  const cut = visits.filter(({ isComplete }) => !isComplete).map(({ name }) => name);
  const meant = SMALL.filter(({ statesMax }) => statesMax !== undefined).map(({ name }) => name);
  expect(meant).toEqual(expect.arrayContaining(cut));
});
