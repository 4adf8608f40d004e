/**
 * PostgreSQL as the rest of the house sees it: what happened and what is owed. Opening it connects to nothing,
 * so a program starts while the database is down; every call then throws StoreUnavailable within seconds, and
 * works again by itself when the database is back.
 */
import { Problem } from '../crds/problem.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Archive, openArchive } from './archive.ts';
import { type Attempts, openAttempts } from './attempts.ts';
import { openDatabase } from './database.ts';
import { type DeadLetters, openDeadLetters } from './dead-letters.ts';
import { type Idempotency, openIdempotency } from './idempotency.ts';
import { type Instances, openInstances } from './instances.ts';
import { migrate, readMigrations } from './migrate.ts';
import { openRestore, type Restore } from './restore.ts';

export type StoreOptions = Readonly<{
  databaseUrl: string;
  clock: Clock;
  log: Logger;
  poolSize?: number | undefined;
}>;

export type Store = Readonly<{
  archive: Archive;
  instances: Instances;
  attempts: Attempts;
  deadLetters: DeadLetters;
  idempotency: Idempotency;
  restore: Restore;
  /**
   * Brings the schema up to date; answers the migrations that it applied. Safe to call from several programs
   * at once. Throws StoreUnavailable, which is worth a retry, or MigrationError, which is not.
   */
  migrate: () => Promise<string[]>;
  /** Whether the database answers and has this program's schema. Never throws. */
  ready: () => Promise<boolean>;
  /** Ends every connection. */
  close: () => Promise<void>;
}>;

export function createStore({ databaseUrl, clock, log, poolSize }: StoreOptions): Store {
  const database = openDatabase({ databaseUrl, log, poolSize });
  return {
    archive: openArchive({ database, clock }),
    instances: openInstances(database),
    attempts: openAttempts(database),
    deadLetters: openDeadLetters(database),
    idempotency: openIdempotency({ database, clock }),
    restore: openRestore({ database, clock }),
    migrate: async () => migrate({ databaseUrl, log }, await readMigrations()),
    ready: async () => {
      try {
        const migrations = await readMigrations();
        const rows = await database.query<{ version: number | null }>(
          'SELECT max(version) AS version FROM schema_migrations',
        );
        // A newer schema is fine for who runs already: migrations only add while two versions overlap.
        return (rows[0]?.version ?? 0) >= migrations.length;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        log.debug({ err: error }, 'the database is not ready');
        return false;
      }
    },
    close: database.close,
  };
}
