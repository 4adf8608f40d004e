/** `npm run reset` after a run that was killed: nothing runs, nothing is left, and a running one is spared. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identityOf } from '../../dev/bootstrap/identity.mjs';
import type { Dev } from '../../dev/commands/dev.ts';
import { runReset } from '../../dev/commands/reset.ts';
import { pathsOf } from '../../dev/paths.ts';
import { ensurePostgres } from '../../dev/postgres/ensure.ts';
import { findLeftovers } from '../../dev/processes/leftovers.ts';
import { createProgress } from '../../dev/progress.ts';
import { openWorld, type World } from '../world/world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
let world: World;
let dev: Dev;
let printed = '';

beforeEach(async () => {
  world = await openWorld();
  const root = join(world.folder, 'checkout');
  mkdirSync(root);
  for (const part of ['agent', 'node_modules']) symlinkSync(join(ROOT, part), join(root, part));
  printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const { env, clock } = world.context;
  dev = {
    ...world.context,
    paths: pathsOf(root),
    progress: createProgress({ output: { write }, env, clock }),
  };
});
afterEach(() => world.close());

test('stops what was left, and removes all that was written', async () => {
  const { folders, postgres } = dev.paths;
  await ensurePostgres({ ...dev, env: { PATH: dev.env['PATH'] } }, { folder: postgres, folders });
  const [server] = findLeftovers(folders.run);
  expect(await runReset(dev)).toBe(0);
  expect(identityOf(server?.pid ?? 0)).toBeUndefined();
  expect(readdirSync(dev.paths.state)).toEqual([]);
  expect(printed).toMatch(/leftovers stopped +\d+\.\d s {3}postgres\n/);
});

test('refuses while npm start runs', async () => {
  mkdirSync(dev.paths.state);
  const owner = { pid: process.ppid, identity: identityOf(process.ppid), purpose: 'npm start' };
  writeFileSync(dev.paths.startLock, JSON.stringify(owner));
  await expect(runReset(dev)).rejects.toMatchObject({
    code: 'AlreadyRunning',
    message: `npm start runs in this checkout (process ${process.ppid})`,
  });
  expect(readdirSync(dev.paths.state)).toEqual(['start.lock']);
});
