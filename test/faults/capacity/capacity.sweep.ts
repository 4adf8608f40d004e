import { afterAll, beforeAll, test } from 'vitest';
import { type Ground, openGround } from './ground.ts';
import { playRounds } from './rounds.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground?.close());

test.for(['Agent', 'Hypervisor', 'Sums'] as const)(
  '40 contracts, room for 10, 2 facades, 20 rounds (%s)',
  (knows) => playRounds(ground, { rounds: 20, knows }),
);
