import { expect, test } from 'vitest';
import { aMachine, ID } from '../testing/builders.ts';
import { leftOf } from './own-machines.ts';

const grant = { contractId: ID, epoch: 2 };

test.each([
  ['nothing', [], []],
  ['a machine of another epoch', [aMachine(1)], []],
  ['a machine of another contract', [aMachine(2, { contractId: 'd'.repeat(32) })], []],
  ['our own', [aMachine(2)], [aMachine(2)]],
  // Found by test/explorer: an heir confirmed the absence of the machine that it had not re-tagged yet.
  ['that of a revoked agent', [aMachine(2, { agentUid: 'other' })], [aMachine(2, { agentUid: 'other' })]],
])('%s stands in the way of confirming an absence, or not', (_name, listed, left) => {
  expect(leftOf(listed, grant)).toEqual(left);
});
