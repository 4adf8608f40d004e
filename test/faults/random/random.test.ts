/** Some random plans in every run; many in the sweep. `FAULT_SEED=N` plays that one alone. */
import { expect, test } from 'vitest';
import { play } from '../scenarios/play.ts';
import { randomPlan } from './random-plan.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

const given = process.env['FAULT_SEED'];
const seeds = given ? [Number(given)] : SEEDS;

test('a seed is a plan', () => {
  expect(randomPlan(42)).toEqual(randomPlan(42));
  expect(new Set(SEEDS.map((seed) => JSON.stringify(randomPlan(seed)))).size).toBe(SEEDS.length);
});

play('random', seeds.map(randomPlan), { operators: 2, lease: 'Short' });
