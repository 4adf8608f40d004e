/**
 * Is this host well: what the last listings and the last look at the state folder come to, for the heartbeat and for
 * whoever claims. A change is in the log once.
 */
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Unhealthy } from '../../crds/unhealthy.ts';
import { messageOf } from '../failure.ts';
import type { Context } from './context.ts';
import { decideHealth, type HealthFacts, type StateFolder } from './decide-health.ts';

const LOOKED_EVERY_MS = 30_000;

export type Health = Readonly<{
  /** What is wrong now; undefined: nothing. */
  now: () => Unhealthy | undefined;
  /** A listing of the machines succeeded (undefined), or failed with this. */
  noteListing: (error: unknown) => void;
  /** Looks at the state folder from time to time, until the signal is aborted. Never throws. */
  watch: (signal: AbortSignal) => Promise<void>;
}>;

export function createHealth({ clock, log, store }: Pick<Context, 'clock' | 'log' | 'store'>): Health {
  let facts: HealthFacts = { listing: { failures: 0, error: undefined }, state: undefined };
  let said: Unhealthy | undefined;
  const note = (found: Partial<HealthFacts>): void => {
    facts = { ...facts, ...found };
    const before = said;
    said = decideHealth(facts, before);
    if (said && said.reason !== before?.reason) log.error(said, 'unhealthy: no new work is taken');
    if (!said && before) log.info({ was: before.reason }, 'healthy again: new work is taken');
  };
  return {
    now: () => said,
    noteListing: (error) => {
      const failures = error === undefined ? 0 : facts.listing.failures + 1;
      note({ listing: { failures, error: failures > 0 ? messageOf(error) : undefined } });
    },
    watch: async (signal) => {
      while (!signal.aborted) {
        const state = await lookAt(store.folder);
        if (!signal.aborted) note({ state });
        await clock.sleep(LOOKED_EVERY_MS, { signal }).catch(() => undefined);
      }
    },
  };
}

/** Writes a file as the store does, and takes it away again. */
export async function lookAt(folder: string): Promise<StateFolder> {
  const path = join(folder, '.health');
  try {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile('written to see whether it can be\n');
      await file.sync();
    } finally {
      await file.close();
    }
    const { bavail, bsize } = await statfs(folder);
    return { isWritable: true, freeBytes: bavail * bsize };
  } catch (error) {
    return { isWritable: false, error: messageOf(error) };
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
