/** Machines without an entry: an orphan, or a sign that an older etcd was put back. */
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aLock, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { judgeUnclaimed, type RecordedMachine, type Records, type UnclaimedVerdict } from './unclaimed.ts';

const machine = { epoch: 3, agentUID: uidOf(1), externalId: 'dc-1' };
const record = (change: Partial<RecordedMachine> = {}): RecordedMachine => ({
  ...machine,
  event: 'Active',
  ...change,
});
const instance = { agentUID: uidOf(2), epoch: 4, externalId: 'dc-1' };
const movedOn = aContract('Active', { epoch: 4, holders: [aHolder(2, 4)], instance });
const behind = aContract('Provisioning', {
  epoch: 2,
  lock: aLock(2, { epoch: 2 }),
  holders: [aHolder(2, 2)],
});

const cases: {
  name: string;
  contract: LiveContract | undefined;
  records: Records;
  isProven?: boolean;
  want: UnclaimedVerdict;
}[] = [
  { name: 'nobody can be asked', contract: movedOn, records: 'Unavailable', want: 'Undecided' },
  {
    name: 'nobody can be asked: no contract',
    contract: undefined,
    records: 'Unavailable',
    want: 'Undecided',
  },
  { name: 'nothing was recorded', contract: movedOn, records: [], want: 'Orphan' },
  { name: 'nothing was recorded: no contract', contract: undefined, records: [], want: 'Orphan' },
  {
    name: 'another machine is the newest',
    contract: movedOn,
    records: [record({ epoch: 4, agentUID: uidOf(2) }), record()],
    want: 'Orphan',
  },
  {
    name: 'it was recorded to be gone',
    contract: movedOn,
    records: [record({ event: 'Ended' })],
    want: 'Orphan',
  },
  {
    name: 'it is the newest that was recorded, but the contract went on without it',
    contract: aContract('Accepted', { epoch: 4 }),
    records: [record()],
    want: 'StopOnly',
  },
  {
    name: 'it is the newest, and the contract ended in its epoch',
    contract: aContract('Cancelled', { epoch: 3 }),
    records: [record()],
    want: 'StopOnly',
  },
  { name: 'the contract is behind it', contract: behind, records: [record()], want: 'OlderWorld' },
  {
    name: 'the contract is in its epoch and knows nothing of it',
    contract: aContract('Active', { epoch: 3, instance: { ...instance, epoch: 3 } }),
    records: [record()],
    want: 'OlderWorld',
  },
  { name: 'the contract is missing', contract: undefined, records: [record()], want: 'OlderWorld' },
  {
    name: 'the contract is missing, and nothing is proven',
    contract: undefined,
    records: [record()],
    isProven: false,
    want: 'Undecided',
  },
  {
    name: 'the contract is behind it, and nothing is proven',
    contract: behind,
    records: [record()],
    isProven: false,
    want: 'Undecided',
  },
  {
    name: 'another machine of a missing contract',
    contract: undefined,
    records: [record({ externalId: 'dc-2' })],
    want: 'Orphan',
  },
];
describe('a machine without an entry', () => {
  for (const { name, contract, records, isProven = true, want } of cases)
    test(name, () => expect(judgeUnclaimed({ contract, machine, records, isProven })).toBe(want));
});
