/** Lanes on the API server and PostgreSQL that the run shares, each in a namespace and a database of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { createDatabase, inNamespace } from '../../world/cluster.ts';
import { type Lane, openLane } from './lane.ts';

export type Lanes = Readonly<{
  all: readonly Lane[];
  /** Logs, configuration and state of all processes. */
  folder: string;
  /** Removes the folder too, unless somebody will want to read it. */
  close: (options?: { keepFolder?: boolean }) => Promise<void>;
}>;

export async function openLanes(count: number): Promise<Lanes> {
  const closing: (() => Promise<void>)[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-crash-'));
  const close: Lanes['close'] = async ({ keepFolder = false } = {}) => {
    await Promise.all(closing.splice(0).map((each) => each()));
    if (!keepFolder) rmSync(folder, { recursive: true, force: true });
  };
  const open = async (): Promise<Lane> => {
    const database = await createDatabase();
    const options = {
      kubeconfig: inject('kubeconfig'),
      runFolder: join(dirname(inject('clusterFolder')), 'run'),
      folder,
      namespace: await inNamespace('crash'),
      databaseUrl: database.url,
    };
    const lane = await openLane(options).catch(async (error: unknown) => {
      await database.drop();
      throw error;
    });
    closing.push(async () => {
      await lane.close();
      await database.drop();
    });
    return lane;
  };
  const all: Lane[] = [];
  try {
    // One after the other: a start is all work, and two cores have enough to do with one.
    while (all.length < count) all.push(await open());
    return { folder, all, close };
  } catch (error) {
    await close();
    throw error;
  }
}
