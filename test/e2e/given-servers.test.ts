/** `--kubeconfig FILE` and `DATABASE_URL`: what the person has is used, and nothing is started beside it. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Dev } from '../../dev/commands/dev.ts';
import { runKubectl } from '../../dev/control-plane/manifests.ts';
import { pathsOf } from '../../dev/paths.ts';
import { findLeftovers } from '../../dev/processes/leftovers.ts';
import { createProgress } from '../../dev/progress.ts';
import { startServers } from '../../dev/start/servers.ts';
import { openWorld, type World } from '../world/world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
let world: World;
let dev: Dev;

beforeEach(async () => {
  world = await openWorld();
  const root = join(world.folder, 'checkout');
  mkdirSync(root);
  symlinkSync(join(ROOT, 'crds'), join(root, 'crds'));
  const { env, clock } = world.context;
  const progress = createProgress({ output: { write: () => {} }, env, clock });
  dev = { ...world.context, paths: pathsOf(root), progress };
});
afterEach(() => world.close());

test('both are used as they are, and our resource types are installed', async () => {
  const controlPlane = await world.startControlPlane({ withCrds: false });
  const { url } = await world.startPostgres();
  const given = { ...dev, env: { ...dev.env, DATABASE_URL: url } };
  const servers = await startServers(given, { kubeconfig: controlPlane.kubeconfig });
  expect(servers).toMatchObject({
    databaseUrl: url,
    kubeconfig: controlPlane.kubeconfig,
    addUser: undefined,
  });
  expect(findLeftovers(dev.paths.folders.run)).toEqual([]);
  expect(existsSync(dev.paths.controlPlane) || existsSync(dev.paths.postgres)).toBe(false);
  const types = await runKubectl(given, servers.kubectl, ['get', 'crd', '-o', 'name']);
  expect(types).toContain('contracts.dcmarket.io');
  await servers.stop();
  expect(controlPlane.processes.apiserver.hasExited()).toBe(false); // not ours to stop
});

test('a kubeconfig that is not there is named before anything is started', async () => {
  await expect(startServers(dev, { kubeconfig: '/nonexistent/config' })).rejects.toMatchObject({
    code: 'BadArguments',
    message: 'there is no file /nonexistent/config',
  });
  expect(existsSync(dev.paths.state)).toBe(false);
});

test('when one server cannot start, the other is stopped again', async () => {
  const env = { ...dev.env, DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/market' };
  await expect(startServers({ ...dev, env })).rejects.toMatchObject({ code: 'DatabaseUnreachable' });
  expect(findLeftovers(dev.paths.folders.run)).toEqual([]);
});
