/** The reference design's lock: a row that an UPDATE takes when nobody holds it, or its holder is too late. */
import type { Pool } from 'pg';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS bench_lock (
    id text PRIMARY KEY,
    contract jsonb NOT NULL,
    status text NOT NULL DEFAULT 'accepted',
    epoch bigint NOT NULL DEFAULT 0,
    lock_agent text,
    lock_expires_at timestamptz
  )`;

const CLAIM = `
  UPDATE bench_lock
     SET lock_agent = $2, lock_expires_at = now() + interval '300 s', epoch = epoch + 1, status = 'provisioning'
   WHERE id = $1 AND (lock_agent IS NULL OR lock_expires_at < now())
  RETURNING epoch`;

export async function makeLockTable(pool: Pool): Promise<void> {
  await pool.query(SCHEMA);
}

/** Free rows `prefix-0` … that hold the same document as a Contract does. */
export async function addRows(
  pool: Pool,
  { count, prefix, contract }: Readonly<{ count: number; prefix: string; contract: object }>,
): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const insert = 'INSERT INTO bench_lock (id, contract) SELECT unnest($1::text[]), $2::jsonb';
  await pool.query(insert, [ids, JSON.stringify(contract)]);
  return ids;
}

/** The epoch that was granted; undefined when another agent was first. */
export async function claimRow(pool: Pool, id: string, agent: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ epoch: string }>({
    name: 'claim',
    text: CLAIM,
    values: [id, agent],
  });
  return rows[0] ? Number(rows[0].epoch) : undefined;
}
