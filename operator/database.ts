/** What the operator does for PostgreSQL, which may come later and go meanwhile. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Store } from '../store/store.ts';

type Deps<P extends keyof Store> = Readonly<{ store: Pick<Store, P>; clock: Clock; log: Logger }>;

const MIGRATE_AGAIN_MS = 5_000;
const SWEEP_EVERY_MS = 3_600_000;

/** Idempotency keys past their time go now and then; while PostgreSQL is down they stay. */
export async function sweepKeys(
  { store, clock, log }: Deps<'idempotency'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await store.idempotency.deleteExpired().catch((error: unknown) => {
      log.info({ err: error }, 'old idempotency keys could not be removed');
    });
    await clock.sleep(SWEEP_EVERY_MS, { signal }).catch(() => undefined);
  }
}

/** Contracts are built meanwhile, only archiving waits. */
export async function migrateUntilDone(
  { store, clock, log }: Deps<'migrate'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const applied = await store.migrate();
      if (applied.length > 0) log.info({ applied }, 'database schema brought up to date');
      return;
    } catch (error) {
      log.warn({ err: error }, 'the database schema could not be brought up to date');
    }
    await clock.sleep(MIGRATE_AGAIN_MS, { signal }).catch(() => undefined);
  }
}
