/** Lanes on the API server and PostgreSQL that the run shares, each in a namespace and a database of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { createDatabase, inNamespace, type TestDatabase } from '../../world/cluster.ts';
import { type Lane, openLane } from './lane.ts';

export type Lanes = Readonly<{
  open: (count: number) => Promise<void>;
  all: readonly Lane[];
  /** Logs, configuration and state of all processes. */
  folder: string;
  /** Also while they are still being opened. Removes the folder, unless somebody will want to read it. */
  close: (options?: { keepFolder?: boolean }) => Promise<void>;
}>;

export function createLanes(): Lanes {
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-crash-'));
  const all: Lane[] = [];
  const databases: TestDatabase[] = [];
  let opening: Promise<void> = Promise.resolve();
  let isClosed = false;
  const openOne = async (): Promise<void> => {
    const database = await createDatabase();
    databases.push(database);
    const lane = await openLane({
      kubeconfig: inject('kubeconfig'),
      runFolder: join(dirname(inject('clusterFolder')), 'run'),
      folder,
      namespace: await inNamespace('crash'),
      databaseUrl: database.url,
    });
    all.push(lane);
  };
  return {
    folder,
    all,
    open: (count) => {
      // One after the other: a start is all work, and two cores have enough to do with one.
      opening = (async () => {
        while (all.length < count && !isClosed) await openOne();
      })();
      return opening;
    },
    close: async ({ keepFolder = false } = {}) => {
      isClosed = true;
      await opening.catch(() => undefined); // whoever opened them has heard of it
      await Promise.all(all.map((lane) => lane.close()));
      await Promise.all(databases.map((database) => database.drop()));
      if (!keepFolder) rmSync(folder, { recursive: true, force: true });
    },
  };
}
