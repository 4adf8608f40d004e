/**
 * Which agent had which machine for a contract, in which epoch. Written beside the agents' path, when a
 * machine was reported, seen reachable, moved and gone; read when a machine turns up that the cluster does not
 * know, and after an older etcd was restored. Source: docs/contract.md, 10 and 12.
 */
import type { Access } from '../crds/contract/status.ts';
import { Problem } from '../crds/problem.ts';
import { createBatches } from './batches.ts';
import type { Database } from './database.ts';

export const INSTANCE_EVENTS = ['Provisioned', 'Active', 'Moved', 'Ended'] as const;
export type InstanceEvent = (typeof INSTANCE_EVENTS)[number];

export type InstanceRecord = Readonly<{
  contractUID: string;
  epoch: number;
  agentUID: string;
  externalId: string;
  event: InstanceEvent;
  at: Date;
  /** How its tenant reaches it; not answered by `get`. */
  access?: Access | undefined;
}>;

export type Instances = Readonly<{
  /** Repeating it is harmless: the first time and the last way to reach it are kept. */
  put: (record: InstanceRecord) => Promise<void>;
  /** Everything that is known of a contract's machines, newest epoch first, then newest first. */
  get: (contractUID: string) => Promise<InstanceRecord[]>;
  /** The same of many contracts by one query; a contract without machines is not in it. */
  getMany: (contractUIDs: readonly string[]) => Promise<ReadonlyMap<string, InstanceRecord[]>>;
}>;

type Row = {
  contract_uid: string;
  /** PostgreSQL's bigint arrives as text; epochs fit a JavaScript number by their schema. */
  epoch: string;
  agent_uid: string;
  external_id: string;
  event: InstanceEvent;
  at: Date;
};

export function openInstances(database: Database): Instances {
  return {
    put: createBatches({ write: (records) => write(database, records), keyOf, isUnavailable }),
    get: async (contractUID) => (await read(database, [contractUID])).get(contractUID) ?? [],
    getMany: (contractUIDs) => read(database, contractUIDs),
  };
}

async function read(
  database: Database,
  contractUIDs: readonly string[],
): Promise<ReadonlyMap<string, InstanceRecord[]>> {
  const rows = await database.query<Row>(
    `SELECT contract_uid, epoch, agent_uid, external_id, event, at FROM contract_instances
     WHERE contract_uid = ANY($1::uuid[]) ORDER BY epoch DESC, at DESC`,
    [contractUIDs],
  );
  const records = rows.map((row) => ({
    contractUID: row.contract_uid,
    epoch: Number(row.epoch),
    agentUID: row.agent_uid,
    externalId: row.external_id,
    event: row.event,
    at: row.at,
  }));
  return Map.groupBy(records, ({ contractUID }) => contractUID);
}

const PUT = `
  INSERT INTO contract_instances AS kept (contract_uid, epoch, agent_uid, external_id, event, at, access)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::json[])
  ON CONFLICT (contract_uid, epoch, agent_uid, external_id, event) DO UPDATE SET access = excluded.access
  -- Every operator that starts tells of every machine: what is known already is not written again.
  WHERE excluded.access IS NOT NULL AND kept.access::text IS DISTINCT FROM excluded.access::text`;

async function write(database: Database, records: readonly InstanceRecord[]): Promise<void> {
  await database.query(PUT, [
    records.map(({ contractUID }) => contractUID),
    records.map(({ epoch }) => epoch),
    records.map(({ agentUID }) => agentUID),
    records.map(({ externalId }) => externalId),
    records.map(({ event }) => event),
    records.map(({ at }) => at.toISOString()),
    records.map(({ access }) => (access ? JSON.stringify(access) : null)),
  ]);
}

const keyOf = ({ contractUID, epoch, agentUID, externalId, event }: InstanceRecord): string =>
  JSON.stringify([contractUID, epoch, agentUID, externalId, event]);

const isUnavailable = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'StoreUnavailable';
