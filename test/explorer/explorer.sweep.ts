import { expect, test } from 'vitest';
import { LARGE, SMALL } from './scenarios.ts';
import { worldOf } from './shape.ts';
import { tour } from './tour.ts';
import { wander } from './wander.ts';

const WALKS = 2000;

test('a million states of worlds with more faults at once keep every promise', () => {
  const { states, visits } = tour([...SMALL, ...LARGE]);
  for (const { name, violation } of visits) expect(violation, name).toBeUndefined();
  expect(states).toBeGreaterThanOrEqual(1_000_000);
});

test('and so do long random walks through them', () => {
  const first = Number(process.env['EXPLORER_SEED'] ?? Date.now() % 1_000_000);
  console.log(
    `seeds ${first} to ${first + WALKS - 1} in each world; EXPLORER_SEED=${first} walks them again`,
  );
  for (const scenario of LARGE) {
    const start = worldOf(scenario);
    for (let seed = first; seed < first + WALKS; seed++)
      expect(wander(start, { seed, stepsMax: 150 }), `${scenario.name}, seed ${seed}`).toBeUndefined();
  }
});
