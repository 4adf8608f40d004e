/**
 * A throw-away folder with what runs in it: an API server, a PostgreSQL, or both. Each is written down under
 * `.dcmarket/worlds/`, so that the next run cleans up after one that was killed.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isAlive } from '../../dev/bootstrap/identity.mjs';
import type { Context } from '../../dev/context.ts';
import { type ControlPlaneBinaries, ensureControlPlane } from '../../dev/control-plane/ensure.ts';
import { installManifests } from '../../dev/control-plane/manifests.ts';
import { type ControlPlane, startControlPlane } from '../../dev/control-plane/run.ts';
import { ensurePostgres, type Postgres } from '../../dev/postgres/ensure.ts';
import { systemFolderOf } from '../../dev/postgres/home.ts';
import { stopLeftovers } from '../../dev/processes/leftovers.ts';
import type { ProcessFolders } from '../../dev/processes/managed-process.ts';
import { systemClock } from '../../lib/clock.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const WORLDS = join(ROOT, '.dcmarket', 'worlds');
const MANIFESTS = join(ROOT, 'crds', 'manifests');

const WorldFile = z.object({ pid: z.int(), identity: z.string(), folder: z.string() });

export type World = Readonly<{
  folder: string;
  folders: ProcessFolders;
  context: Context;
  startControlPlane: (options?: ControlPlaneChoice) => Promise<ControlPlane>;
  startPostgres: () => Promise<Postgres>;
  /** Stops all that was started, last first, and removes the folder. */
  close: () => Promise<void>;
}>;

export type ControlPlaneChoice = Readonly<{
  /** Flags for kube-apiserver beyond ours, as `--name=value`. */
  apiserverArgs?: readonly string[];
  /** Apply `crds/manifests`. Default true. */
  withCrds?: boolean;
  /** Default false: data of a test is lost with the machine. */
  fsync?: boolean;
}>;

export function testContext(signal: AbortSignal = new AbortController().signal): Context {
  // Tests have a PostgreSQL of their own: what DATABASE_URL names may hold somebody's data.
  const { DATABASE_URL: _theirs, ...env } = process.env;
  return { env, clock: systemClock, signal, report: () => {} };
}

export function testBinaries(context: Context = testContext()): Promise<ControlPlaneBinaries> {
  return ensureControlPlane(context);
}

export async function openWorld(context: Context = testContext()): Promise<World> {
  await sweepWorlds();
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-test-'));
  chmodSync(folder, 0o711); // PostgreSQL may run under another account and must pass through
  mkdirSync(WORLDS, { recursive: true });
  const record = join(WORLDS, `${randomUUID()}.json`);
  writeFileSync(
    record,
    JSON.stringify({ pid: process.pid, identity: identityOf(process.pid) ?? '', folder }),
  );
  const folders = { run: join(folder, 'run'), logs: join(folder, 'logs') };
  const stops: (() => Promise<void>)[] = [];
  return {
    folder,
    folders,
    context,
    startControlPlane: async ({ apiserverArgs = [], withCrds = true, fsync = false } = {}) => {
      const binaries = await testBinaries(context);
      const options = { binaries, folder: join(folder, 'control-plane'), folders, fsync, apiserverArgs };
      const controlPlane = await startControlPlane(context, options);
      stops.push(controlPlane.stop);
      const kubectl = {
        kubectl: binaries.kubectl,
        kubeconfig: controlPlane.kubeconfig,
        cacheFolder: join(folder, 'kubectl'),
      };
      if (withCrds) await installManifests(context, kubectl, MANIFESTS);
      return controlPlane;
    },
    startPostgres: async () => {
      const postgres = await ensurePostgres(context, {
        folder: join(folder, 'postgres'),
        folders,
        fsync: false,
      });
      stops.push(postgres.stop);
      return postgres;
    },
    close: async () => {
      for (const stop of stops.reverse()) await stop();
      removeWorld(folder);
      rmSync(record, { force: true });
    },
  };
}

/** Stops and removes what test runs left behind that were killed. */
export async function sweepWorlds(): Promise<void> {
  mkdirSync(WORLDS, { recursive: true });
  for (const name of readdirSync(WORLDS)) {
    const file = join(WORLDS, name);
    const world = parseWorld(file);
    if (world && isAlive(world)) continue;
    if (world) {
      await stopLeftovers(join(world.folder, 'run'), {
        clock: systemClock,
        order: ['kube-apiserver', 'etcd', 'postgres'],
      });
      removeWorld(world.folder);
    }
    rmSync(file, { force: true });
  }
}

function removeWorld(folder: string): void {
  const systemFolder = systemFolderOf(join(folder, 'postgres'));
  if (systemFolder) rmSync(systemFolder, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

function parseWorld(file: string): z.infer<typeof WorldFile> | undefined {
  try {
    return WorldFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
