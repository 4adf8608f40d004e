/** Rows of PostgreSQL as the facts that the rule of a restore asks for. Pure. */
import type { EndInStore, MachineInStore } from '../crds/contract/restore-facts.ts';
import { Access } from '../crds/contract/status.ts';

export type InstanceRow = Readonly<{
  contract_uid: string;
  epoch: string;
  agent_uid: string;
  external_id: string;
  event: 'Provisioned' | 'Active' | 'Moved' | 'Ended';
  at: Date;
  access: unknown;
  reason: string | null;
}>;

export type ArchivedEnd = Readonly<{
  uid: string;
  phase: string;
  epoch: string | null;
  reason: string | null;
}>;

export type StoredFacts = Readonly<{
  inStore?: MachineInStore | undefined;
  ended?: EndInStore | undefined;
  closed: readonly Readonly<{ epoch: number; externalId: string }>[];
}>;

type Rows = Readonly<{
  /** Newest epoch first, then newest first. */
  machines: readonly InstanceRow[];
  ends: readonly ArchivedEnd[];
}>;

/** By contract. One that is in neither has no facts. */
export function factsOfRows({ machines, ends }: Rows): ReadonlyMap<string, StoredFacts> {
  const rowsOf = Map.groupBy(machines, ({ contract_uid }) => contract_uid);
  const endOf = new Map(ends.map((end) => [end.uid, end]));
  const uids = new Set([...rowsOf.keys(), ...endOf.keys()]);
  return new Map([...uids].map((uid) => [uid, factsOf(rowsOf.get(uid) ?? [], endOf.get(uid))]));
}

function factsOf(rows: readonly InstanceRow[], archived: ArchivedEnd | undefined): StoredFacts {
  const closing = rows.filter(({ event }) => event === 'Moved' || event === 'Ended');
  const isSame = (a: InstanceRow, b: InstanceRow): boolean =>
    a.epoch === b.epoch && a.external_id === b.external_id;
  const made = rows.filter((row) => !closing.includes(row) && !closing.some((it) => isSame(it, row)));
  const closed = closing.map(({ epoch, external_id }) => ({ epoch: Number(epoch), externalId: external_id }));
  const newest = made[0];
  return {
    closed,
    inStore:
      newest &&
      machineOf(
        newest,
        made.filter((row) => isSame(row, newest)),
      ),
    ended: endOf(closing, archived),
  };
}

function machineOf(newest: InstanceRow, rows: readonly InstanceRow[]): MachineInStore {
  const activeAt = rows.findLast(({ event }) => event === 'Active')?.at.toISOString();
  const access = rows.flatMap((row) => Access.safeParse(row.access ?? undefined).data ?? [])[0];
  const { epoch, agent_uid, external_id } = newest;
  return { epoch: Number(epoch), agentUID: agent_uid, externalId: external_id, activeAt, access };
}

/** The archive knows how it ended; before it is there, only that its machine was to go. */
function endOf(closing: readonly InstanceRow[], archived: ArchivedEnd | undefined): EndInStore | undefined {
  const phase = PHASES.find((known) => known === archived?.phase);
  if (archived && phase)
    return { epoch: Number(archived.epoch ?? 0), phase, reason: archived.reason ?? phase };
  const row = closing.find(({ event }) => event === 'Ended');
  return row && { epoch: Number(row.epoch), reason: row.reason ?? 'Ended' };
}

const PHASES = ['Rejected', 'Cancelled', 'Expired', 'Failed'] as const;
