import { expect, test } from 'vitest';
import { aClaimant, aContract, aHolder, at, uidOf } from '../../crds/contract/builders.ts';
import { inherit } from '../../crds/contract/inherit.ts';
import type { InstanceRecord } from '../../store/instances.ts';
import { createLedger, type LedgerStore } from './ledger.ts';

test('a machine that was inherited is recorded as its heir’s, later than as the other’s', async () => {
  const records: InstanceRecord[] = [];
  const instances = { put: async (record: InstanceRecord) => void records.push(record) };
  const ledger = createLedger({ instances } as unknown as LedgerStore); // all that recording a machine asks for
  const instance = { agentUID: uidOf(2), epoch: 3, externalId: 'dc-1' };
  const holders = [aHolder(2, 3)];
  const before = aContract('Active', { epoch: 3, instance, holders, startsAt: at(1).toISOString() });
  const passed = inherit(before, { from: uidOf(2), heir: aClaimant(1), epoch: 3, now: at(9) });
  if (passed.outcome !== 'Write') throw new Error(passed.outcome);
  await ledger.recordInstance(before);
  await ledger.recordInstance(before);
  await ledger.recordInstance({ ...before, status: passed.status });
  expect(records.map(({ agentUID, epoch }) => [agentUID, epoch])).toEqual([
    [uidOf(2), 3],
    [uidOf(1), 3],
  ]);
  expect(records[1]?.at).toEqual(at(9));
  expect(records[0]?.at.getTime()).toBeLessThan(at(9).getTime());
});
