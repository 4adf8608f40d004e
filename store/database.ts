/**
 * A pool of PostgreSQL connections on which nothing waits long. Getting a connection and running a statement
 * have a deadline each, on both sides of the wire, so that a server that is stopped, frozen or cut off is an
 * error within seconds; the pool connects anew by itself when it is back. Whatever keeps the database from
 * answering is `StoreUnavailable`, which is safe to retry; any other error is a mistake of ours and stays.
 */
import { Pool, type QueryResultRow } from 'pg';
import type { Logger } from '../lib/log.ts';
import { toStoreProblem } from './unavailable.ts';

/** For connecting, waiting for a free connection, and running a statement; each, in milliseconds. */
export const DEADLINE_MS = 2_000;

export type DatabaseOptions = Readonly<{
  /** `postgres://user:password@host:port/name` */
  databaseUrl: string;
  log: Logger;
  poolSize?: number | undefined;
}>;

export type Database = Readonly<{
  /** Rows of one statement. Throws StoreUnavailable; each statement is a transaction of its own. */
  query: <Row extends QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Ends every connection. Later statements are StoreUnavailable. */
  close: () => Promise<void>;
}>;

export function openDatabase({ databaseUrl, log, poolSize = 10 }: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: 'dcmarket',
    max: poolSize,
    connectionTimeoutMillis: DEADLINE_MS,
    // The server gives up first and frees what it held; the client does when no server answers at all.
    statement_timeout: DEADLINE_MS - 200,
    query_timeout: DEADLINE_MS,
    idle_in_transaction_session_timeout: DEADLINE_MS,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection was lost'));
  let closing: Promise<void> | undefined;
  return {
    query: async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) => {
      try {
        return (await pool.query<Row>(sql, [...values])).rows;
      } catch (error) {
        throw toStoreProblem(error) ?? error;
      }
    },
    close: () => {
      closing ??= pool.end();
      return closing;
    },
  };
}
