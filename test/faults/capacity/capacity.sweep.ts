import { test } from 'vitest';
import { playRounds } from './rounds.ts';

test.for(['Agent', 'Hypervisor', 'Sums'] as const)(
  '40 contracts, room for 10, 2 facades, 20 rounds (%s)',
  (knows) => playRounds(20, knows),
);
