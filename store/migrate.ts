/**
 * Brings the schema up to date, forward only. All missing migrations are applied in one transaction under an
 * advisory lock: of two programs that start at once the second finds nothing left to do, and a migration that
 * fails leaves nothing behind. What was applied is kept with its checksum, so a file that was edited later is
 * found; a schema that is newer than the program is refused before anything reads it wrongly.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Logger } from '../lib/log.ts';
import { DEADLINE_MS } from './database.ts';
import { toStoreProblem } from './unavailable.ts';

export type Migration = Readonly<{ version: number; name: string; sql: string; checksum: string }>;

export type MigrationCode = 'SchemaNewer' | 'MigrationChanged' | 'MigrationFailed' | 'BadMigrationFiles';

/** The schema does not fit this program. No retry helps; `next` says what does. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationCode;
  readonly retryable = false;
  readonly next: string;

  constructor(code: MigrationCode, message: string, options: { next: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
  }
}

export const MIGRATIONS_FOLDER = join(import.meta.dirname, 'migrations');

/** Any number, as long as every version of this program uses the same: it names the lock. */
const LOCK_ID = 7_236_915_001;
/** How long to wait for another program that is migrating. */
const LOCK_TIMEOUT_MS = 60_000;
/** A migration may take its time, but a server that froze in the middle is found out. */
const STATEMENT_TIMEOUT_MS = 600_000;

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now())`;

type Applied = Readonly<{ version: number; name: string; checksum: string }>;

/** Applies what is missing; answers the names of what it applied. Throws MigrationError or StoreUnavailable. */
export async function migrate(
  { databaseUrl, log }: Readonly<{ databaseUrl: string; log: Logger }>,
  migrations: readonly Migration[],
): Promise<string[]> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'dcmarket migrations',
    connectionTimeoutMillis: DEADLINE_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
  });
  client.on('error', (error) => log.warn({ err: error }, 'the connection for migrations was lost'));
  try {
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK_ID]);
    await client.query(CREATE_TABLE);
    const { rows } = await client.query<Applied>(
      'SELECT version, name, checksum FROM schema_migrations ORDER BY version',
    );
    const missing = pendingMigrations(rows, migrations);
    for (const migration of missing) await apply(client, migration);
    await client.query('COMMIT');
    if (missing.length > 0) log.info({ migrations: missing.map(({ name }) => name) }, 'schema migrated');
    return missing.map(({ name }) => name);
  } catch (error) {
    if (error instanceof MigrationError) throw error;
    throw toStoreProblem(error) ?? error;
  } finally {
    // A transaction that is still open is rolled back with its connection.
    await client.end().catch((error: unknown) => log.debug({ err: error }, 'connection was lost already'));
  }
}

/** Which migrations are to be applied still. Throws when the applied ones are not a beginning of ours. */
export function pendingMigrations(
  applied: readonly Applied[],
  migrations: readonly Migration[],
): Migration[] {
  const latest = migrations.at(-1)?.version ?? 0;
  for (const { version, name, checksum } of applied) {
    const ours = migrations.find((migration) => migration.version === version);
    if (!ours)
      throw new MigrationError(
        'SchemaNewer',
        `the database has migration ${name}; this program knows migrations up to ${latest}`,
        { next: 'Run the newer program that applied it, or use another database.' },
      );
    if (ours.checksum !== checksum)
      throw new MigrationError('MigrationChanged', `migration ${name} was changed after it was applied`, {
        next: `Restore store/migrations/${ours.name}.sql as it was and put the change into a new file.`,
      });
  }
  return migrations.filter(({ version }) => !applied.some((row) => row.version === version));
}

async function apply(client: Client, { version, name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    throw (
      toStoreProblem(error) ??
      new MigrationError('MigrationFailed', `migration ${name} failed: ${String(error)}`, {
        next: 'Nothing was changed. Correct the migration or the database, then start again.',
        cause: error,
      })
    );
  }
  await client.query('INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
    version,
    name,
    checksum,
  ]);
}

/** The files `0001-name.sql` … of a folder, in order and without a gap. */
export async function readMigrations(folder: string = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const version = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(file)?.[1]);
      if (version !== index + 1)
        throw new MigrationError('BadMigrationFiles', `${file} is not migration ${index + 1}`, {
          next: 'Name migrations 0001-what.sql, 0002-what.sql and so on, without a gap.',
        });
      const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
      const checksum = createHash('sha256').update(sql).digest('hex');
      return { version, name: file.slice(0, -'.sql'.length), sql, checksum };
    }),
  );
}
