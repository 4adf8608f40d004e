/** Legal minimal objects for the agent's tests, and every change that a record can go through. */
import fc from 'fast-check';
import type { PendingContract } from '../../crds/wire/work-list.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import {
  accept,
  begin,
  beginReport,
  type ContractRecord,
  confirmAbsent,
  delivered,
  emptyRecord,
  fail,
  type Grant,
  order,
  settle,
  settleFailure,
} from '../state/record.ts';

export const ID = 'c'.repeat(32);

export function aPending(contractId: string, epoch: number): PendingContract {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA test';
  return {
    contractId,
    offeringId: 'acme/hello',
    epoch,
    requesterSshPubkey: key,
    cpuCores: 1,
    memoryAmount: '1024 MB',
    storageCapacity: '1 GB',
    provisionerType: 'script',
    contract_id: contractId,
    offering_id: 'acme/hello',
    requester_ssh_pubkey: key,
    cpu_cores: 1,
    memory_amount: '1024 MB',
    storage_capacity: '1 GB',
    provisioner_type: 'script',
  };
}

export const aGrant = (epoch: number, change: Partial<Grant> = {}): Grant => ({
  epoch,
  acceptedAt: '2026-01-01T00:00:00Z',
  contract: aPending(ID, 0),
  ...change,
});

export const aRecord = (change: Partial<ContractRecord> = {}): ContractRecord => ({
  ...emptyRecord(ID),
  ...change,
});

export const aMachine = (epoch: number, change: Partial<ListedInstance> = {}): ListedInstance => ({
  externalId: `dc-${ID}`,
  contractId: ID,
  epoch,
  installation: 'i',
  agentUid: 'me',
  state: 'Running',
  createdAt: '2026-01-01T00:00:00Z',
  ...change,
});

type Change = (record: ContractRecord) => ContractRecord;

const epochs = fc.integer({ min: 0, max: 6 });
const whenGranted = (change: Change): Change => {
  return (record) => (record.grant ? change(record) : record);
};
const failure = (record: ContractRecord) =>
  ({ epoch: record.grant?.epoch ?? 0, class: 'transient', message: 'm' }) as const;

/** What the jobs do to records, as far as the record's state lets them. */
export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  epochs.map(
    (epoch): Change =>
      (record) =>
        accept(record, aGrant(epoch)) ?? record,
  ),
  fc.constantFrom(
    whenGranted(begin),
    whenGranted((record) => beginReport(record)),
    whenGranted(settle),
  ),
  fc.constant(whenGranted((record) => fail(record, failure(record)))),
  fc.constantFrom('Continue' as const, 'Destroy' as const).map(
    (then): Change =>
      (record) =>
        settleFailure(record, then),
  ),
  epochs.map(
    (epoch): Change =>
      (record) =>
        order(record, epoch),
  ),
  fc.constant<Change>((record) => {
    const epoch = record.doomed[0];
    return epoch === undefined ? record : confirmAbsent(record, { epoch, as: 'Terminated' });
  }),
  fc.constant<Change>((record) => (record.absent[0] ? delivered(record, record.absent[0]) : record)),
);
