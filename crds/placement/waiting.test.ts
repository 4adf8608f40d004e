import { expect, test } from 'vitest';
import { aContract, at } from '../contract/builders.ts';
import type { ContractPhase } from '../contract/phase.ts';
import { wantedSinceMs } from './waiting.ts';

const moved = (
  phase: ContractPhase,
  ...moves: ['Requested' | 'Accepted' | 'Provisioning' | 'Active', number][]
) =>
  aContract(phase, {
    history: moves.map(([to, seconds], seq) => ({
      seq,
      at: at(seconds).toISOString(),
      to,
      by: 'operator',
      reason: 'Test',
    })),
  });

test.each([
  [
    'it was accepted, whatever was tried since',
    moved('Accepted', ['Requested', 1], ['Accepted', 5], ['Provisioning', 6], ['Accepted', 9]),
    5,
  ],
  ['it lost its machine', moved('Accepted', ['Accepted', 5], ['Active', 6], ['Accepted', 9]), 9],
])('a machine is wanted since %s', (_name, contract, seconds) =>
  expect(wantedSinceMs(contract)).toBe(at(seconds).getTime()),
);

test.each([
  ['is still to be accepted', moved('Requested', ['Requested', 1])],
  ['has its machine', moved('Active', ['Accepted', 5], ['Active', 6])],
])('none is wanted by one that %s', (_name, contract) => expect(wantedSinceMs(contract)).toBeUndefined());
