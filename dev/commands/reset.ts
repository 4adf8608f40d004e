/** `npm run reset`: stops what earlier runs left behind, and removes all that they wrote. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sweepWorlds } from '../../test/world/world.ts';
import { tryLock } from '../bootstrap/lock.mjs';
import { Failure } from '../failure.ts';
import { systemFolderFor, systemFolderOf } from '../postgres/home.ts';
import { stopLeftovers } from '../processes/leftovers.ts';
import { setInstances } from '../start/instances.ts';
import { SERVERS_LAST } from '../start/order.ts';
import type { Dev } from './dev.ts';

/** Folders of test runs, which may be alive; those that are not were swept. */
const KEPT = ['worlds'];

export async function runReset(dev: Dev): Promise<number> {
  const { paths, clock, progress } = dev;
  const lock = tryLock(paths.startLock, 'npm run reset');
  if (lock.owner)
    throw new Failure(
      'AlreadyRunning',
      `${lock.owner.purpose} runs in this checkout (process ${lock.owner.pid})`,
      {
        next: 'Stop it with Ctrl-C, then reset.',
      },
    );
  try {
    await progress.step('leftovers stopped', async (step) => {
      const instances = await setInstances(dev, 'stop');
      const stopped = await stopLeftovers(paths.folders.run, { clock, order: SERVERS_LAST });
      await sweepWorlds();
      step.detail([...(instances > 0 ? [`${instances} instances`] : []), ...stopped].join(', '));
    });
    await progress.step('data removed', async (step) => {
      const outside = [systemFolderOf(paths.postgres), systemFolderFor(paths.state)].filter(
        (folder): folder is string => folder !== undefined && existsSync(folder),
      );
      const names = existsSync(paths.state) ? readdirSync(paths.state) : [];
      const inside = names.filter((name) => !KEPT.includes(name)).map((name) => join(paths.state, name));
      for (const path of [...outside, ...inside]) rmSync(path, { recursive: true, force: true });
      step.detail([paths.state, ...outside].join(', '));
    });
  } finally {
    lock.release();
  }
  return 0;
}
