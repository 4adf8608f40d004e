/**
 * What to do next about one contract. Pure: same facts, same step; after a crash the same facts come from disk
 * and a listing. What must be said or removed goes first; only then is anything built, and only under a lock
 * that will last. Finished work needs no lock to be reported. Source: contract.md, "The lock", 3, 5, 7, 9.
 */
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { type Absent, type ContractRecord, type Grant, isAdoptable } from '../state/record.ts';

export type JobFacts = Readonly<{
  record: ContractRecord;
  /** The facade offers this contract to be claimed. */
  isOffered: boolean;
  /** No step that needs a lock begins any more. */
  isStopping: boolean;
  /** Undefined: there is no lock, or it ran out. */
  lock: Readonly<{ leftMs: number; ttlMs: number }> | undefined;
  /** Own machines of this contract; undefined when nobody looked since they may have changed. */
  machines: readonly ListedInstance[] | undefined;
  hasRoom: boolean;
  /** SSH was seen to answer, or nobody can look. */
  isVerified: boolean;
}>;

export type Step =
  | Readonly<{ type: 'ReportFailure' }>
  | Readonly<{ type: 'Remove'; epoch: number }>
  | Readonly<{ type: 'Deliver'; absent: Absent }>
  | Readonly<{ type: 'Claim' }>
  | Readonly<{ type: 'List' }>
  | Readonly<{ type: 'Regain'; epoch: number }>
  | Readonly<{ type: 'AwaitRenewal' }>
  | Readonly<{ type: 'Adopt'; machine: ListedInstance; grant: Grant }>
  | Readonly<{ type: 'DoomOlder'; epoch: number }>
  | Readonly<{ type: 'NoRoom'; epoch: number }>
  | Readonly<{ type: 'Create'; grant: Grant }>
  | Readonly<{ type: 'Verify'; grant: Grant }>
  | Readonly<{ type: 'Report'; grant: Grant }>
  | Readonly<{ type: 'Fail'; epoch: number; class: 'transient' | 'capacity'; message: string }>
  | Readonly<{ type: 'Done'; because: 'Settled' | 'Stopping' | 'NewerMachine' }>;

export function decideJob(facts: JobFacts): Step {
  const { record, isOffered, isStopping } = facts;
  if (record.failed) return { type: 'ReportFailure' };
  const doomed = record.doomed[0];
  if (doomed !== undefined) return { type: 'Remove', epoch: doomed };
  if (record.grant) return decideBuild(facts, record.grant);
  // After the building: that an old machine is gone may be said only after a while, and nobody waits for it.
  const absent = record.absent[0];
  if (absent) return { type: 'Deliver', absent };
  if (!isOffered) return { type: 'Done', because: 'Settled' };
  return isStopping ? { type: 'Done', because: 'Stopping' } : { type: 'Claim' };
}

function decideBuild(
  { record, machines, isStopping, lock, hasRoom, isVerified }: JobFacts,
  grant: Grant,
): Step {
  const { epoch } = grant;
  if (machines === undefined) return { type: 'List' };
  if (machines.some((machine) => machine.epoch > epoch)) return { type: 'Done', because: 'NewerMachine' };
  const current = machines.find((machine) => machine.epoch === epoch);
  if (grant.created) {
    if (!current)
      return {
        type: 'Fail',
        epoch,
        class: 'transient',
        message: `${grant.created.externalId} is not there any more`,
      };
    return isVerified ? { type: 'Report', grant } : { type: 'Verify', grant };
  }
  if (isStopping) return { type: 'Done', because: 'Stopping' };
  if (!lock) return { type: 'Regain', epoch };
  if (lock.leftMs < lock.ttlMs / 3) return { type: 'AwaitRenewal' };
  const older = machines.find((machine) => machine.epoch < epoch);
  if (older) {
    const mayAdopt = !current && isAdoptable(record, older);
    return mayAdopt ? { type: 'Adopt', machine: older, grant } : { type: 'DoomOlder', epoch: older.epoch };
  }
  if (!hasRoom) {
    if (!current) return { type: 'NoRoom', epoch };
    return { type: 'Fail', epoch, class: 'capacity', message: 'there was no room to finish it' };
  }
  return { type: 'Create', grant };
}
