/** Tells what means "the database cannot answer now" from what means "our statement is wrong". */
import { Problem } from '../crds/problem.ts';

/**
 * SQLSTATE classes and codes under which the same statement may succeed later or after an operator acted.
 * Source: PostgreSQL manual, appendix A.
 */
const UNAVAILABLE = [
  '08', // connection exception
  '25006', // read-only: a standby, in the middle of a failover
  '28', // wrong user or password
  '3D', // no such database
  '3F', // no such schema
  '40', // rolled back: serialisation failure, deadlock
  '42501', // no right to the table
  '42P01', // no such table: migrations were not applied
  '53', // too many connections, disk full, out of memory
  '55P03', // a lock was not to be had
  '57', // cancelled by its deadline, shutting down, starting up
  '58', // input or output error
  'XX', // internal error, corrupted data
];

/**
 * StoreUnavailable for what keeps the database from answering, else undefined. The message has no address and
 * no user name, since tenants read it; the cause, which only the log prints, has.
 */
export function toStoreProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError)
    return undefined;
  const state = sqlState(error);
  // An error of the server always has an SQLSTATE; what has none comes from the socket or the pool.
  if (state !== undefined && !UNAVAILABLE.some((prefix) => state.startsWith(prefix))) return undefined;
  return new Problem('StoreUnavailable', `the database does not answer${because(state)}`, {
    next: 'Try again in a few seconds; agents and running machines are not affected.',
    retryAfterSeconds: 5,
    cause: error,
  });
}

function because(state: string | undefined): string {
  if (state === '42P01') return ': its tables are missing, migrations were not applied';
  if (state?.startsWith('57014')) return ' in time';
  return '';
}

function sqlState(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : undefined;
}
