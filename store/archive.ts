/**
 * Contracts that ended, each with every move it made. The object keeps only its last 32 moves, so moves are
 * rows of their own that are added and never taken away: whatever is put, in whatever order and however often,
 * the history only grows. Money columns are integers in minor units.
 */
import type { LiveContract } from '../crds/contract/contract.ts';
import type { ContractPhase } from '../crds/contract/phase.ts';
import type { HistoryEntry } from '../crds/contract/status.ts';
import { ANNOTATION } from '../crds/group.ts';
import { Problem } from '../crds/problem.ts';
import { invariant } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './database.ts';

export type ArchivedContract = Readonly<{
  /** As it was put last, except that `status.history` has every move that is known, oldest first. */
  contract: LiveContract;
  archivedAt: Date;
}>;

/** Where a page ends: the creation time and uid of its last contract. */
export type ArchivePosition = Readonly<{ createdAt: string; uid: string }>;

export type ArchivePage = Readonly<{
  tenantKey: string;
  limit: number;
  before?: ArchivePosition | undefined;
  phase?: ContractPhase | undefined;
}>;

export type Archive = Readonly<{
  /** Keeps a contract. Repeating it is harmless, an older copy replaces no newer one, no move is lost. */
  put: (contract: LiveContract) => Promise<void>;
  /** Keeps the moves of a contract that still lives, before its oldest ones fall off the object. */
  keepMoves: (contract: LiveContract) => Promise<void>;
  get: (uid: string) => Promise<ArchivedContract | undefined>;
  /** The contract that a tenant made with an Idempotency-Key, given as on the contract's annotation. */
  findByIdempotencyKey: (
    key: Readonly<{ tenantKey: string; idempotencyKey: string }>,
  ) => Promise<ArchivedContract | undefined>;
  /** Newest first. Throws ValidationFailed when `before` is no position. */
  listByTenant: (page: ArchivePage) => Promise<ArchivedContract[]>;
}>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const PUT = `
  INSERT INTO archived_contracts AS kept (uid, namespace, name, tenant_key, phase, idempotency_key, price_minor,
    currency, created_at, archived_at, last_seq, object)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (uid) DO UPDATE SET phase = excluded.phase, last_seq = excluded.last_seq,
    object = excluded.object
  WHERE excluded.last_seq >= kept.last_seq`;

const KEEP_MOVES = `
  INSERT INTO contract_moves (contract_uid, seq, at, entry)
  SELECT $1, * FROM unnest($2::bigint[], $3::timestamptz[], $4::json[])
  ON CONFLICT DO NOTHING`;

const SELECT = `
  SELECT object, archived_at, (SELECT json_agg(entry ORDER BY seq, at) FROM contract_moves
    WHERE contract_uid = archived_contracts.uid) AS history
  FROM archived_contracts`;

type Row = { object: LiveContract; archived_at: Date; history: HistoryEntry[] | null };

export function openArchive({ database, clock }: Readonly<{ database: Database; clock: Clock }>): Archive {
  const keepMoves = async (contract: LiveContract): Promise<void> => {
    const history = contract.status.history ?? [];
    await database.query(KEEP_MOVES, [
      uidOf(contract),
      history.map(({ seq }) => seq),
      history.map(({ at }) => at),
      history.map((entry) => JSON.stringify(entry)),
    ]);
  };
  return {
    keepMoves,
    put: async (contract) => {
      // Moves first: when the second statement fails, nothing says yet that the contract is archived.
      await keepMoves(contract);
      await database.query(PUT, putValues(contract, clock.now()));
    },
    get: async (uid) => {
      if (!UUID.test(uid)) return undefined;
      return first(await database.query<Row>(`${SELECT} WHERE uid = $1`, [uid]));
    },
    findByIdempotencyKey: async ({ tenantKey, idempotencyKey }) =>
      first(
        await database.query<Row>(
          `${SELECT} WHERE tenant_key = $1 AND idempotency_key = $2 ORDER BY created_at DESC LIMIT 1`,
          [tenantKey, idempotencyKey],
        ),
      ),
    listByTenant: async ({ tenantKey, limit, before, phase }) => {
      if (before) checkPosition(before);
      const rows = await database.query<Row>(
        `${SELECT} WHERE tenant_key = $1 AND ($2::text IS NULL OR phase = $2)
           AND ($3::timestamptz IS NULL OR (created_at, uid) < ($3, $4::uuid))
         ORDER BY created_at DESC, uid DESC LIMIT $5`,
        [tenantKey, phase ?? null, before?.createdAt ?? null, before?.uid ?? null, limit],
      );
      return rows.map(present);
    },
  };
}

function putValues(contract: LiveContract, now: Date): unknown[] {
  const { metadata, spec, status } = contract;
  const price = spec.termsSnapshot?.price;
  return [
    uidOf(contract),
    metadata.namespace ?? '',
    metadata.name,
    spec.tenant.publicKey,
    status.phase,
    metadata.annotations?.[ANNOTATION.idempotencyKey] ?? null,
    price?.amountMinor ?? null,
    price?.currency ?? null,
    metadata.creationTimestamp ?? now.toISOString(),
    now.toISOString(),
    status.history?.at(-1)?.seq ?? 0,
    JSON.stringify(contract),
  ];
}

function uidOf({ metadata }: LiveContract): string {
  invariant(metadata.uid, `contract ${metadata.name} was read from the API server and has a uid`);
  return metadata.uid;
}

function checkPosition({ createdAt, uid }: ArchivePosition): void {
  if (UUID.test(uid) && !Number.isNaN(Date.parse(createdAt))) return;
  throw new Problem('ValidationFailed', 'cursor is no cursor that this API gave out', {
    next: 'Use the address in the Link header of the page before, or leave cursor out.',
  });
}

const first = (rows: readonly Row[]): ArchivedContract | undefined =>
  rows[0] ? present(rows[0]) : undefined;

/** The column holds what `put` was given, so it is a LiveContract of this or an older version. */
const present = ({ object, archived_at, history }: Row): ArchivedContract => ({
  contract: history ? { ...object, status: { ...object.status, history } } : object,
  archivedAt: archived_at,
});
