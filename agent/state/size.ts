/** How much of the host a contract takes, as the agent remembers it: a restart must not forget what stands. */
import type { Amounts } from '../../crds/placement/amounts.ts';
import type { PendingContract } from '../../crds/wire/work-list.ts';
import type { ContractRecord } from './record.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A facade that does not say it exactly has rounded it up, and names no GPU. */
export const wantedBy = (contract: PendingContract): Amounts =>
  contract.wanted ?? {
    cpuMilli: contract.cpuCores * 1000,
    memoryBytes: (Number.parseInt(contract.memoryAmount, 10) || 0) * MIB,
    storageBytes: (Number.parseInt(contract.storageCapacity, 10) || 0) * GIB,
    gpus: 0,
    instances: 1,
  };

/** Undefined: its machine was built before sizes were kept. */
export const sizeOf = ({ grant, size }: ContractRecord): Amounts | undefined =>
  grant ? wantedBy(grant.contract) : size;

/** A machine is being built or removed, or will be in a moment, whether a listing shows it or not. */
export const isUnfinished = ({ grant, failed, doomed }: ContractRecord): boolean =>
  grant !== undefined || failed !== undefined || doomed.length > 0;

/** As far as the disk knows; a listing knows better. */
export const mayStand = (record: ContractRecord): boolean => isUnfinished(record) || record.begun >= 0;
