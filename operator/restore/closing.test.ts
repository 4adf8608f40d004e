import { expect, test } from 'vitest';
import { aContract, at, uidOf } from '../../crds/contract/builders.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import type { Attempt, ContractStatus } from '../../crds/contract/status.ts';
import { type Closing, closingOf, removedUid } from './closing.ts';

const instance = { agentUID: uidOf(1), epoch: 3, externalId: 'dc-1' };
const attempt = (outcome: Attempt['outcome']): Attempt => ({
  agent: 'agent-1',
  agentUID: uidOf(1),
  epoch: 1,
  startedAt: at(0).toISOString(),
  endedAt: at(1).toISOString(),
  outcome,
});

type Case = Readonly<{
  name: string;
  phase: ContractPhase;
  status: Partial<ContractStatus>;
  want: Closing;
}>;

const cases: readonly Case[] = [
  {
    name: 'never had a machine',
    phase: 'Accepted',
    status: { epoch: 2, attempts: [attempt('Failed')] },
    want: undefined,
  },
  {
    name: 'runs: older ones are closed',
    phase: 'Active',
    status: { epoch: 3, instance },
    want: { close: 'Below', epoch: 3 },
  },
  {
    name: 'moved, and waits for the next one',
    phase: 'Accepted',
    status: { epoch: 4, attempts: [attempt('VerificationFailed')] },
    want: { close: 'Below', epoch: 4 },
  },
  {
    name: 'told to end, long before its machine is gone',
    phase: 'Terminating',
    status: { epoch: 3, instance, reason: 'CancelledByTenant' },
    want: { close: 'All', reason: 'CancelledByTenant' },
  },
  {
    name: 'ended: the object has no machine any more, but once it ran',
    phase: 'Expired',
    status: { epoch: 3, startsAt: at(0).toISOString(), reason: 'DurationEnded' },
    want: { close: 'All', reason: 'DurationEnded' },
  },
];

for (const { name, phase, status, want } of cases)
  test(name, () => expect(closingOf(aContract(phase, status))).toEqual(want));

test('a contract is removed when the server says so, not when a list lacks it', () => {
  const object = aContract('Active', { epoch: 3, instance });
  const { uid } = object.metadata;
  expect(removedUid({ type: 'Deleted', object, isWatched: true })).toBe(uid);
  expect(removedUid({ type: 'Deleted', object, isWatched: false })).toBeUndefined();
  expect(removedUid({ type: 'Updated', object, old: object })).toBeUndefined();
});
