/**
 * What PostgreSQL knows when etcd has forgotten: the generation of the world, the machine and the end of each
 * contract, and the listings that agents sent since. Source: docs/contract.md, 12; docs/restore.md.
 */
import { z } from 'zod';
import { ListedInstance } from '../crds/wire/reconcile.ts';
import { invariant } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './database.ts';
import { type ArchivedEnd, factsOfRows, type InstanceRow, type StoredFacts } from './restore-facts.ts';

export type StoredWorld = Readonly<{ generation: number; resourceVersion: string }>;

/** As an agent listed it. `isProven`: a facade saw the proof that this epoch was granted for it. */
export const ListedMachine = ListedInstance.omit({ proof: true }).extend({
  isProven: z.boolean().optional(),
});
export type ListedMachine = z.infer<typeof ListedMachine>;

export type RestoreListing = Readonly<{ agentUID: string; machines: readonly ListedMachine[]; at: Date }>;

export type LiveMachine = Readonly<{
  contractUID: string;
  epoch: number;
  agentUID: string;
  externalId: string;
}>;

export type Restore = Readonly<{
  world: () => Promise<StoredWorld>;
  /** At least `generation`; answers what is there now. A lower one changes nothing. */
  raise: (generation: number) => Promise<StoredWorld>;
  /** One more than it is: how the runbook begins a restore. */
  raiseByOne: () => Promise<StoredWorld>;
  /** Keeps the higher resourceVersion, unless the generation is another by now. */
  saw: (world: StoredWorld) => Promise<void>;
  /** The last listing of an agent counts. */
  putListing: (
    listing: Readonly<{ generation: number; agentUID: string; machines: readonly ListedMachine[] }>,
  ) => Promise<void>;
  listings: (generation: number) => Promise<RestoreListing[]>;
  /** Of generations below. */
  dropListings: (generation: number) => Promise<void>;
  /** One machine a contract, of those that are somebody's still; by contract, after `after`. */
  liveMachines: (page: Readonly<{ after?: string | undefined; limit: number }>) => Promise<LiveMachine[]>;
  factsOf: (contractUIDs: readonly string[]) => Promise<ReadonlyMap<string, StoredFacts>>;
  /** Machines of epochs below `epoch` are the contract's no more. Repeating it is harmless. */
  closeBelow: (contractUID: string, epoch: number) => Promise<void>;
  /** The contract was told to end: whatever machine it has is its tenant's no more. */
  closeAll: (contractUID: string, reason: string) => Promise<void>;
}>;

const FIRST_UID = '00000000-0000-0000-0000-000000000000';

const IS_LIVE = `event IN ('Provisioned', 'Active')
  AND NOT EXISTS (SELECT 1 FROM contract_instances AS closed
    WHERE closed.contract_uid = made.contract_uid AND closed.epoch = made.epoch
      AND closed.external_id = made.external_id AND closed.event IN ('Moved', 'Ended'))`;

const LIVE = `
  SELECT DISTINCT ON (contract_uid) contract_uid, epoch, agent_uid, external_id FROM contract_instances AS made
  WHERE contract_uid > $1 AND ${IS_LIVE}
    AND NOT EXISTS (SELECT 1 FROM archived_contracts WHERE uid = made.contract_uid
      AND (object->'status'->>'epoch')::bigint >= made.epoch)
  ORDER BY contract_uid, epoch DESC, at DESC LIMIT $2`;

const CLOSE = `
  INSERT INTO contract_instances (contract_uid, epoch, agent_uid, external_id, event, at, reason)
  SELECT contract_uid, epoch, agent_uid, external_id, $2, $3, $4 FROM contract_instances AS made
  WHERE contract_uid = $1 AND epoch < $5 AND ${IS_LIVE} ON CONFLICT DO NOTHING`;

const WORLD = 'generation, resource_version::text AS resource_version';

type WorldRow = { generation: string; resource_version: string };
type ListingRow = { agent_uid: string; machines: unknown; at: Date };
type LiveRow = { contract_uid: string; epoch: string; agent_uid: string; external_id: string };

export function openRestore({ database, clock }: Readonly<{ database: Database; clock: Clock }>): Restore {
  const close = async (
    contractUID: string,
    { event, below, reason }: Readonly<{ event: 'Moved' | 'Ended'; below: number; reason: string | null }>,
  ): Promise<void> => {
    await database.query(CLOSE, [contractUID, event, clock.now().toISOString(), reason, below]);
  };
  return {
    world: async () => toWorld(await database.query<WorldRow>(`SELECT ${WORLD} FROM world`)),
    raise: async (generation) =>
      toWorld(
        await database.query<WorldRow>(
          `UPDATE world SET generation = GREATEST(generation, $1),
             resource_version = CASE WHEN generation < $1 THEN 0 ELSE resource_version END,
             raised_at = CASE WHEN generation < $1 THEN $2 ELSE raised_at END RETURNING ${WORLD}`,
          [generation, clock.now().toISOString()],
        ),
      ),
    raiseByOne: async () =>
      toWorld(
        await database.query<WorldRow>(
          `UPDATE world SET generation = generation + 1, resource_version = 0, raised_at = $1 RETURNING ${WORLD}`,
          [clock.now().toISOString()],
        ),
      ),
    saw: async ({ generation, resourceVersion }) => {
      await database.query(
        `UPDATE world SET resource_version = $2::numeric WHERE generation = $1 AND resource_version < $2::numeric`,
        [generation, resourceVersion],
      );
    },
    putListing: async ({ generation, agentUID, machines }) => {
      await database.query(
        `INSERT INTO restore_listings (generation, agent_uid, machines, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (generation, agent_uid) DO UPDATE SET machines = excluded.machines, at = excluded.at`,
        [generation, agentUID, JSON.stringify(machines), clock.now().toISOString()],
      );
    },
    listings: async (generation) => {
      const rows = await database.query<ListingRow>(
        'SELECT agent_uid, machines, at FROM restore_listings WHERE generation = $1 ORDER BY agent_uid',
        [generation],
      );
      return rows.map(({ agent_uid, machines, at }) => ({
        agentUID: agent_uid,
        machines: ListedMachine.array().parse(machines),
        at,
      }));
    },
    dropListings: async (generation) => {
      await database.query('DELETE FROM restore_listings WHERE generation < $1', [generation]);
    },
    liveMachines: async ({ after = FIRST_UID, limit }) => {
      const rows = await database.query<LiveRow>(LIVE, [after, limit]);
      return rows.map(({ contract_uid, epoch, agent_uid, external_id }) => ({
        contractUID: contract_uid,
        epoch: Number(epoch),
        agentUID: agent_uid,
        externalId: external_id,
      }));
    },
    factsOf: async (uids) => {
      if (uids.length === 0) return new Map();
      const machines = await database.query<InstanceRow>(
        `SELECT contract_uid, epoch, agent_uid, external_id, event, at, access, reason FROM contract_instances
         WHERE contract_uid = ANY($1::uuid[]) ORDER BY contract_uid, epoch DESC, at DESC`,
        [uids],
      );
      const ends = await database.query<ArchivedEnd>(
        `SELECT uid, phase, object->'status'->>'epoch' AS epoch, object->'status'->>'reason' AS reason
         FROM archived_contracts WHERE uid = ANY($1::uuid[])`,
        [uids],
      );
      return factsOfRows({ machines, ends });
    },
    closeBelow: (contractUID, epoch) => close(contractUID, { event: 'Moved', below: epoch, reason: null }),
    closeAll: (contractUID, reason) =>
      close(contractUID, { event: 'Ended', below: Number.MAX_SAFE_INTEGER, reason }),
  };
}

function toWorld([row]: readonly WorldRow[]): StoredWorld {
  invariant(row, 'migration 0004 has put the one row there');
  return { generation: Number(row.generation), resourceVersion: row.resource_version };
}
