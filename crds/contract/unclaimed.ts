/**
 * A machine of ours that no entry of its contract accounts for, or whose contract is not in the cluster: what
 * PostgreSQL remembers decides between an orphan and a sign that the cluster is an older one. Pure.
 *
 *   PostgreSQL cannot be asked ─────────────────────────────► undecided: nobody is told anything
 *   it names this machine, and the cluster is behind it ────► undecided; a sign of an older world if it is proven
 *   it names this machine, and the cluster has moved on ────► stopped, not destroyed
 *   it does not name it ────────────────────────────────────► an orphan: stopped, destroyed later
 *
 * Source: docs/contract.md, 10 and 12.
 */
import type { LiveContract } from './contract.ts';
import { isEnding } from './phase.ts';

/** What PostgreSQL keeps of a contract's machines, newest epoch first, then newest first. */
export type RecordedMachine = Readonly<{
  epoch: number;
  agentUID: string;
  externalId: string;
  event: 'Provisioned' | 'Active' | 'Moved' | 'Ended';
}>;

/** `Unavailable`: it could not be asked. Empty: it knows of none, or the contract is in the archive. */
export type Records = readonly RecordedMachine[] | 'Unavailable';

/** PostgreSQL and a hypervisor know a machine that the cluster should know, and does not. */
export type OlderWorldSign = Readonly<{
  contractUID: string;
  epoch: number;
  agentUID: string;
  externalId: string;
  /** Undefined: the contract itself is missing. */
  statusEpoch: number | undefined;
}>;

export type Unclaimed = Readonly<{
  contract: LiveContract | undefined;
  machine: Readonly<{ epoch: number; agentUID: string; externalId: string }>;
  records: Records;
  /** The caller built it itself and proves that this epoch was granted to it: only such a word is a sign. */
  isProven: boolean;
}>;

export type UnclaimedVerdict = 'Undecided' | 'OlderWorld' | 'StopOnly' | 'Orphan';

export function judgeUnclaimed({ contract, machine, records, isProven }: Unclaimed): UnclaimedVerdict {
  if (records === 'Unavailable') return 'Undecided';
  const [newest] = records;
  const isNamed =
    newest !== undefined &&
    (newest.event === 'Provisioned' || newest.event === 'Active') &&
    newest.epoch === machine.epoch &&
    newest.agentUID === machine.agentUID &&
    newest.externalId === machine.externalId;
  if (!isNamed) return 'Orphan';
  const sign = isProven ? 'OlderWorld' : 'Undecided';
  if (!contract) return sign;
  const { epoch, phase } = contract.status;
  const isBehind = machine.epoch > epoch || (machine.epoch === epoch && !isEnding(phase));
  return isBehind ? sign : 'StopOnly';
}
