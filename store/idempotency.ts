/**
 * What an Idempotency-Key was used for: a retry meets its own contract, another body under the same key is
 * found out. Keyed by tenant and SHA-256 of the key. The caller compares body hashes: it knows what to say.
 */
import { invariant } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './database.ts';

export type IdempotencyKey = Readonly<{
  tenantKey: string;
  /** SHA-256 of the Idempotency-Key, 64 hex characters. */
  keyHash: string;
}>;

export type IdempotencyRecord = IdempotencyKey &
  Readonly<{
    /** SHA-256 of the request body, 64 hex characters. */
    bodyHash: string;
    contractNamespace: string;
    contractName: string;
    /** Undefined until the contract was created. */
    contractUID: string | undefined;
    createdAt: Date;
  }>;

export type IdempotencyClaim = Readonly<{ record: IdempotencyRecord; outcome: 'New' | 'Known' }>;

export type Idempotency = Readonly<{
  /** Keeps the key unless it is kept already, in one statement: of two at once exactly one is New. */
  claim: (use: Omit<IdempotencyRecord, 'contractUID' | 'createdAt'>) => Promise<IdempotencyClaim>;
  get: (key: IdempotencyKey) => Promise<IdempotencyRecord | undefined>;
  /** Notes the uid once the contract exists; the first one stays. */
  setContract: (key: IdempotencyKey, contract: Readonly<{ uid: string }>) => Promise<void>;
  /** Forgets what is older than its time to live; answers how many. Call it now and then. */
  deleteExpired: () => Promise<number>;
}>;

/** Longer than an ended contract stays in the cluster; after that its archive entry knows the key. */
export const IDEMPOTENCY_TTL_MS = 45 * 24 * 3_600_000;
const DELETE_AT_ONCE = 1_000;

const COLUMNS =
  'tenant_key, key_hash, body_hash, contract_namespace, contract_name, contract_uid, created_at';

type Row = {
  tenant_key: string;
  key_hash: string;
  body_hash: string;
  contract_namespace: string;
  contract_name: string;
  contract_uid: string | null;
  created_at: Date;
};

type Dependencies = Readonly<{ database: Database; clock: Clock; ttlMs?: number | undefined }>;

export function openIdempotency({ database, clock, ttlMs = IDEMPOTENCY_TTL_MS }: Dependencies): Idempotency {
  return {
    claim: async ({ tenantKey, keyHash, bodyHash, contractNamespace, contractName }) => {
      const now = clock.now();
      const expires = new Date(now.getTime() + ttlMs);
      // DO NOTHING would answer no row to the loser of a race; an update that changes nothing locks the row
      // and answers it. xmax is 0 only in a row that this statement inserted.
      const rows = await database.query<Row & { is_new: boolean }>(
        `INSERT INTO idempotency_keys AS kept (tenant_key, key_hash, body_hash, contract_namespace,
           contract_name, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_key, key_hash) DO UPDATE SET key_hash = kept.key_hash
         RETURNING ${COLUMNS}, (xmax = 0) AS is_new`,
        [
          tenantKey,
          keyHash,
          bodyHash,
          contractNamespace,
          contractName,
          now.toISOString(),
          expires.toISOString(),
        ],
      );
      const row = rows[0];
      invariant(row, 'an upsert answers its row');
      return { record: present(row), outcome: row.is_new ? 'New' : 'Known' };
    },
    get: async ({ tenantKey, keyHash }) => {
      const rows = await database.query<Row>(
        `SELECT ${COLUMNS} FROM idempotency_keys WHERE tenant_key = $1 AND key_hash = $2`,
        [tenantKey, keyHash],
      );
      return rows[0] && present(rows[0]);
    },
    setContract: async ({ tenantKey, keyHash }, { uid }) => {
      await database.query(
        `UPDATE idempotency_keys SET contract_uid = $3
         WHERE tenant_key = $1 AND key_hash = $2 AND contract_uid IS NULL`,
        [tenantKey, keyHash, uid],
      );
    },
    deleteExpired: () => deleteExpired(database, clock.now()),
  };
}

/** In batches, so that no statement comes near its deadline. */
async function deleteExpired(database: Database, now: Date): Promise<number> {
  let deleted = 0;
  for (;;) {
    const rows = await database.query(
      `DELETE FROM idempotency_keys WHERE ctid IN (
         SELECT ctid FROM idempotency_keys WHERE expires_at <= $1 LIMIT ${DELETE_AT_ONCE}
         FOR UPDATE SKIP LOCKED) RETURNING 1 AS deleted`,
      [now.toISOString()],
    );
    deleted += rows.length;
    if (rows.length < DELETE_AT_ONCE) return deleted;
  }
}

const present = (row: Row): IdempotencyRecord => ({
  tenantKey: row.tenant_key,
  keyHash: row.key_hash,
  bodyHash: row.body_hash,
  contractNamespace: row.contract_namespace,
  contractName: row.contract_name,
  contractUID: row.contract_uid ?? undefined,
  createdAt: row.created_at,
});
