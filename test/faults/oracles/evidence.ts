/** What an oracle may look at: what the API server said, and what truly happened on the hypervisors. */
import type { Agent } from '../../../crds/agent.ts';
import type { LedgerRecord, Machine } from '../ledger/ledger.ts';
import type { Version } from './history.ts';

export type Evidence = Readonly<{
  /** As machines are tagged with. */
  contractId: string;
  /** Of this contract, oldest first. */
  versions: readonly Version[];
  /** All that was ever done on any hypervisor, oldest first. */
  records: readonly LedgerRecord[];
  /** What stands at the end, on any hypervisor. */
  machines: readonly Machine[];
  /** All agents, as they are at the end. */
  agents: readonly Agent[];
  /** `HOST/NAME` of the machines of somebody else that stood there from the beginning. */
  strangers: readonly string[];
}>;

/** What is wrong, a sentence each; empty when all holds. */
export type Oracle = (evidence: Evidence) => readonly string[];

/**
 * Its last move says when it was decided, by a clock that was learnt from `Date`, which has whole seconds: the ledger's
 * own may say up to a second earlier.
 */
const CLOCKS_APART_MS = 1000;

/** No later than it was decided. RFC 3339. */
export function decidedAfter({ contract, heardAt }: Version): string {
  const at = contract.status?.history?.at(-1)?.at;
  const heardMs = heardAt.getTime();
  const saidMs = at === undefined ? heardMs : Date.parse(at) - CLOCKS_APART_MS;
  return new Date(Math.min(saidMs, heardMs)).toISOString();
}

/** Machines of the contract that stood at `at`. */
export function standingAt(
  { records, contractId }: Pick<Evidence, 'records' | 'contractId'>,
  at: string,
): readonly LedgerRecord[] {
  const standing = new Map<string, LedgerRecord>();
  for (const record of records) {
    if (record.contractId !== contractId || record.at > at) continue;
    const name = `${record.host}/${record.externalId}`;
    if (record.event === 'destroyed') standing.delete(name);
    else if (record.event !== 'failed') standing.set(name, record);
  }
  return [...standing.values()];
}
