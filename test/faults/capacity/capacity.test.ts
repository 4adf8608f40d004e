/** A few rounds for every `npm test`; twenty are in `capacity.sweep.ts`. */
import { afterAll, beforeAll, test } from 'vitest';
import { type Ground, openGround } from './ground.ts';
import { playRounds } from './rounds.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground?.close());

test('40 contracts, room for 10, 2 facades: never an 11th, and the others say why and start when room is made', () =>
  playRounds(ground, { rounds: 2, knows: 'Agent' }));

test('the same when only the hypervisor knows: what it refuses is given back', () =>
  playRounds(ground, { rounds: 1, knows: 'Hypervisor' }));

test('the same when only its own sums know: the facades are blind, the hypervisor refuses nothing', () =>
  playRounds(ground, { rounds: 1, knows: 'Sums' }));
