/**
 * A queue in PostgreSQL as job libraries build one: INSERT and NOTIFY in one statement, a worker that LISTENs and
 * takes the oldest free row with SKIP LOCKED. Our own minimal one; graphile-worker is not a dependency.
 */
import { Client, type Pool } from 'pg';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS bench_queue (id bigserial PRIMARY KEY, contract jsonb NOT NULL, locked_by text)`;
const PUT = `
  WITH added AS (INSERT INTO bench_queue (contract) VALUES ($1) RETURNING id)
  SELECT id, pg_notify('bench_queue', id::text) FROM added`;
const TAKE = `
  UPDATE bench_queue SET locked_by = 'worker'
   WHERE id = (SELECT id FROM bench_queue WHERE locked_by IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
  RETURNING id`;

export type Queue = Readonly<{
  /** Puts a job and resolves when the worker has locked it. */
  putAndAwait: (contract: object) => Promise<void>;
  close: () => Promise<void>;
}>;

export async function openQueue(pool: Pool, url: string): Promise<Queue> {
  await pool.query(SCHEMA);
  const worker = new Client({ connectionString: url });
  await worker.connect();
  let onTaken = Promise.withResolvers<void>();
  worker.on('notification', () => {
    worker.query(TAKE).then(
      ({ rowCount }) => (rowCount === 1 ? onTaken.resolve() : onTaken.reject(new Error('an empty queue'))),
      (error: unknown) => onTaken.reject(error),
    );
  });
  await worker.query('LISTEN bench_queue');
  return {
    putAndAwait: async (contract) => {
      onTaken = Promise.withResolvers<void>();
      await Promise.all([pool.query({ name: 'put', text: PUT, values: [contract] }), onTaken.promise]);
    },
    close: () => worker.end(),
  };
}
