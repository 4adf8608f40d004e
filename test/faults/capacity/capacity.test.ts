/** A few rounds for every `npm test`; twenty are in `capacity.sweep.ts`. */
import { test } from 'vitest';
import { playRounds } from './rounds.ts';

test('40 contracts, room for 10, 2 facades: never an 11th, and the others start when room is made', () =>
  playRounds(2, 'Agent'));

test('the same when only the hypervisor knows: what it refuses is given back', () =>
  playRounds(1, 'Hypervisor'));

test('the same when only its own sums know: the facades are blind, the hypervisor refuses nothing', () =>
  playRounds(1, 'Sums'));
