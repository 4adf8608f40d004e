/**
 * The servers that `npm start` stands on: control plane, PostgreSQL, our resource types. Takes the lock of the
 * checkout, heals what a killed run left, and starts them side by side with a line for each.
 */
import { existsSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { type LockOwner, tryLock } from '../bootstrap/lock.mjs';
import type { Dev } from '../commands/dev.ts';
import { type ControlPlaneBinaries, ensureControlPlane, type Source } from '../control-plane/ensure.ts';
import { applyManifests, installManifests, type Kubectl } from '../control-plane/manifests.ts';
import { startControlPlane } from '../control-plane/run.ts';
import { Failure } from '../failure.ts';
import { ensurePostgres, type Postgres } from '../postgres/ensure.ts';
import { findLeftovers, stopLeftovers } from '../processes/leftovers.ts';
import { failOnExit, type ManagedProcess } from '../processes/managed-process.ts';
import { SERVERS_LAST } from './order.ts';
import { together } from './together.ts';

export type Servers = Readonly<{
  /** File of an administrator of the cluster. */
  kubeconfig: string;
  kubectl: Kubectl;
  databaseUrl: string;
  /** A kubeconfig with only the rights that RBAC gives; undefined with a cluster that is not ours. */
  addUser: ((user: { name: string; groups?: readonly string[] }) => Promise<string>) | undefined;
  /** Rejects as soon as one of ours ends by itself; otherwise never settles. */
  failed: () => Promise<never>;
  /** Stops what is ours, API server first. Stop its clients before. */
  stop: () => Promise<void>;
}>;

/** One `npm start` at a time in a checkout. Throws `AlreadyRunning`, naming the other. */
export function lockCheckout({ paths }: Dev, purpose = 'npm start'): () => void {
  const { release, owner } = tryLock(paths.startLock, purpose);
  if (release) return release;
  throw alreadyRunning(owner);
}

function alreadyRunning({ purpose, pid }: LockOwner): Failure {
  return new Failure('AlreadyRunning', `${purpose} runs in this checkout already (process ${pid})`, {
    next: 'Use that one, or stop it with Ctrl-C.',
  });
}

/** Stops what a run that was killed left behind; there is a line for it only when there was something. */
export async function healLeftovers({ paths, clock, progress }: Dev): Promise<void> {
  if (findLeftovers(paths.folders.run).length === 0) return;
  await progress.step('leftovers of a killed run', async (step) => {
    step.detail(
      `stopped ${(await stopLeftovers(paths.folders.run, { clock, order: SERVERS_LAST })).join(', ')}`,
    );
  });
}

/** Starts them, or connects to `kubeconfig`'s cluster. When one fails, the others are stopped again. */
export async function startServers(
  dev: Dev,
  options: { kubeconfig?: string | undefined } = {},
): Promise<Servers> {
  const given =
    options.kubeconfig === undefined
      ? undefined
      : requireFile(resolve(dev.env['INIT_CWD'] ?? '.', options.kubeconfig));
  // npm changes to the folder of package.json; INIT_CWD is where the person is.
  const binaries = given === undefined ? await findBinaries(dev) : undefined;
  const kubectlProgram = binaries?.kubectl ?? (await findKubectl(dev));
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const [postgres, cluster] = await together(dev, [
      (own) => startPostgres(own, stops),
      (own) => (binaries ? startCluster(own, binaries, stops) : useCluster(given ?? '')),
    ]);
    const kubectl = {
      kubectl: kubectlProgram,
      kubeconfig: cluster.kubeconfig,
      cacheFolder: join(dev.paths.state, 'kubectl'),
    };
    await dev.progress.step('resource types installed', async (step) => {
      const count = await installManifests({ ...dev, report: step.report }, kubectl, dev.paths.manifests);
      step.title(`${count} resource types installed`);
      await applyManifests(dev, kubectl, join(dev.paths.root, 'config', 'system'));
    });
    const processes = [...cluster.processes, ...(postgres.process ? [postgres.process] : [])];
    const failed = (): Promise<never> => Promise.race(processes.map(failOnExit));
    return { ...cluster, kubectl, databaseUrl: postgres.url, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Cluster = Pick<Servers, 'kubeconfig' | 'addUser'> & Readonly<{ processes: readonly ManagedProcess[] }>;
type Stops = (() => Promise<void>)[];

function findBinaries(dev: Dev): Promise<ControlPlaneBinaries> {
  return dev.progress.step('control plane', async (step) => {
    const { env, clock, signal } = dev;
    const binaries = await ensureControlPlane({ env, clock, signal, report: step.report });
    step.title(`control plane ${binaries.version} (${HOW[binaries.source]})`);
    return binaries;
  });
}

/** For a cluster that is there already, any kubectl will do: no download or build for its sake if there is one. */
async function findKubectl(dev: Dev): Promise<string> {
  const onPath = (dev.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'kubectl'));
  return onPath.find((file) => existsSync(file)) ?? (await findBinaries(dev)).kubectl;
}

const HOW: Record<Source, string> = {
  KUBEBUILDER_ASSETS: 'KUBEBUILDER_ASSETS',
  cache: 'cached',
  download: 'downloaded',
  build: 'built',
};

function startCluster(dev: Dev, binaries: ControlPlaneBinaries, stops: Stops): Promise<Cluster> {
  const { paths } = dev;
  return dev.progress.step('kube-apiserver and etcd ready', async (step) => {
    const { kubeconfig, addUser, processes, stop } = await startControlPlane(
      { ...dev, report: step.report },
      { binaries, folder: paths.controlPlane, folders: paths.folders, kubeconfigFile: paths.kubeconfig },
    );
    stops.push(stop);
    step.detail(`KUBECONFIG=${relative(paths.root, kubeconfig)}`);
    return { kubeconfig, addUser, processes: [processes.etcd, processes.apiserver] };
  });
}

function useCluster(kubeconfig: string): Promise<Cluster> {
  return Promise.resolve({ kubeconfig, addUser: undefined, processes: [] });
}

function requireFile(file: string): string {
  if (existsSync(file)) return file;
  throw new Failure('BadArguments', `there is no file ${file}`, {
    next: 'Give --kubeconfig the path of a kubeconfig.',
  });
}

function startPostgres(dev: Dev, stops: Stops): Promise<Postgres> {
  const { paths } = dev;
  return dev.progress.step('PostgreSQL', async (step) => {
    const options = { folder: paths.postgres, folders: paths.folders };
    const postgres = await ensurePostgres({ ...dev, report: step.report }, options);
    stops.push(postgres.stop);
    step.title(`PostgreSQL ${postgres.version.split('.')[0]}`);
    if (postgres.source === 'DATABASE_URL') step.detail('of DATABASE_URL');
    return postgres;
  });
}
