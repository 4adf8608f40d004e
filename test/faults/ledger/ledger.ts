/**
 * What truly happened on the hypervisors of a test: every machine that ever stood, by whom and for which grant.
 * It is written by the hypervisor alone (`hypervisor.ts`), append-only, and never by what is tested, so oracles
 * may believe it where agents, API server and PostgreSQL may all be wrong.
 */
import type { Clock } from '../../../lib/clock.ts';

export const LEDGER_EVENTS = [
  'create-begun',
  'created',
  'adopted',
  'destroyed',
  'started',
  'stopped',
  'password-set',
  'failed',
] as const;
export type LedgerEvent = (typeof LEDGER_EVENTS)[number];

export type LedgerRecord = Readonly<{
  /** RFC 3339 with milliseconds. The order of the records is the order in which it happened. */
  at: string;
  /** The hypervisor: each agent has one of its own. */
  host: string;
  /** Who asked for it. */
  agentUid: string;
  contractId: string;
  /** Of the machine after the event: `adopted` names the new one. */
  epoch: number;
  externalId: string;
  event: LedgerEvent;
}>;

/** `Creating`: half a machine. It stands, is listed as unknown, and nobody can log in. */
export type MachineState = 'Creating' | 'Running' | 'Stopped';

export type Machine = Readonly<{
  host: string;
  externalId: string;
  contractId: string;
  epoch: number;
  /** Undefined: somebody else's, without a tag of ours. Nobody may touch it. */
  installation: string | undefined;
  agentUid: string;
  state: MachineState;
  createdAt: string;
}>;

export type Ledger = Readonly<{
  /** All that happened, oldest first. */
  records: () => readonly LedgerRecord[];
  /** What stands now, ours and others', whatever any list says. */
  machines: () => readonly Machine[];
  find: (host: string, externalId: string) => Machine | undefined;
  /** A machine of somebody else beside ours; it is no record, since nobody of ours did it. */
  addStranger: (host: string, externalId: string) => void;
  /** The machine as it is from now on, undefined when it is gone, and who made it so. */
  note: (
    change: Readonly<{ event: LedgerEvent; by: string; before: Machine; after: Machine | undefined }>,
  ) => void;
  /** Told of each record at once, before whoever asked has an answer; answers how to stop telling. */
  follow: (hear: (record: LedgerRecord) => void) => () => void;
}>;

export function createLedger({ clock }: Readonly<{ clock: Clock }>): Ledger {
  const records: LedgerRecord[] = [];
  const machines = new Map<string, Machine>();
  const followers = new Set<(record: LedgerRecord) => void>();
  const keyOf = (host: string, externalId: string): string => `${host}/${externalId}`;
  return {
    records: () => records,
    machines: () => [...machines.values()],
    find: (host, externalId) => machines.get(keyOf(host, externalId)),
    addStranger: (host, externalId) => {
      const nothing = { contractId: '', epoch: 0, installation: undefined, agentUid: '' };
      const createdAt = clock.now().toISOString();
      machines.set(keyOf(host, externalId), { ...nothing, host, externalId, state: 'Running', createdAt });
    },
    note: ({ event, by, before, after }) => {
      const { host, externalId, contractId } = before;
      if (after) machines.set(keyOf(host, externalId), after);
      else machines.delete(keyOf(host, externalId));
      const epoch = (after ?? before).epoch;
      const at = clock.now().toISOString();
      const record: LedgerRecord = { at, host, agentUid: by, contractId, epoch, externalId, event };
      records.push(record);
      for (const hear of followers) hear(record);
    },
    follow: (hear) => {
      followers.add(hear);
      return () => void followers.delete(hear);
    },
  };
}

/** Machines that carry our tag: what a contract may be told about. */
export const isOurs = (machine: Machine): boolean => machine.installation !== undefined;
