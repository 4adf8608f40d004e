/**
 * The house that is measured: one world with etcd and PostgreSQL that both fsync, a facade as a process, and what a
 * benchmark starts beside it. Whoever opens it closes it; nothing is left behind then.
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { ensurePostgres } from '../dev/postgres/ensure.ts';
import { type ManagedProcess, startProcess } from '../dev/processes/managed-process.ts';
import { createKubeClient, type KubeClient } from '../kube/client.ts';
import { systemClock } from '../lib/clock.ts';
import { createCallers, type Facade, startFacades } from '../test/world/facades.ts';
import { openWorld, testBinaries, testContext } from '../test/world/world.ts';
import type { Row } from './report.ts';

export type House = Readonly<{
  signal: AbortSignal;
  client: KubeClient;
  controlPlaneFolder: string;
  facade: Facade;
  /** For baselines: as many connections as the agents of the greatest load. */
  postgres: Pool;
  databaseUrl: string;
  kubeconfig: string;
  /** Of the world; goes away with it. */
  folder: string;
  callers: ReturnType<typeof createCallers>;
  /** Runs a file of the checkout with our Node, until it is stopped or the house closes. */
  startNode: (name: string, file: string, env: Readonly<Record<string, string>>) => Promise<ManagedProcess>;
  /** With more environment than it needs: a probe, a port that is known. */
  startOperator: (env?: Readonly<Record<string, string>>) => Promise<ManagedProcess>;
  startFacade: (env: Readonly<Record<string, string>>) => Promise<ManagedProcess>;
  makeNamespace: (name: string) => Promise<void>;
  /** Runs before everything else that is closed with the house. */
  atClose: (close: () => Promise<unknown>) => void;
  /** Houses with many contracts at rest that a benchmark of this run has made, by their number. */
  crowds: Map<number, House>;
  close: () => Promise<void>;
}>;

const ROOT = join(import.meta.dirname, '..');
export const NAMESPACE = 'bench';
/** Each agent has a connection of its own, as if it were on a host of its own. */
export const CONNECTIONS = 100;

export async function openHouse(signal: AbortSignal): Promise<House> {
  const context = testContext(signal);
  const world = await openWorld(context);
  const closing: (() => Promise<unknown>)[] = [world.close];
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  try {
    const { folder: controlPlaneFolder } = await testBinaries(context);
    const { kubeconfig } = await world.startControlPlane({ fsync: true });
    const { folders } = world;
    const server = await ensurePostgres(context, {
      folder: join(world.folder, 'postgres'),
      folders,
      fsync: true,
    });
    closing.push(server.stop);
    const postgres = new Pool({ connectionString: server.url, max: CONNECTIONS });
    // end() does not wait until the server has let go of each connection: the server's farewell is no failure.
    postgres.on('error', () => undefined);
    closing.push(() => postgres.end());
    const client = createKubeClient({ kubeconfig: { file: kubeconfig }, userAgent: 'dcmarket-bench' });
    closing.push(client.close);
    const makeNamespace = async (name: string): Promise<void> => {
      await client.raw({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
    };
    await makeNamespace(NAMESPACE);
    const facades = await startFacades(1, { kubeconfig, databaseUrl: server.url, namespace: NAMESPACE });
    closing.push(facades.close);
    const [facade] = facades.all;
    if (!facade) throw new Error('no facade was started');
    const callers = createCallers(CONNECTIONS);
    closing.push(callers.close);
    const startNode: House['startNode'] = async (name, file, env) => {
      const child = await startProcess({
        name,
        command: process.execPath,
        args: [join(ROOT, file)],
        folders,
        clock: systemClock,
        cwd: ROOT,
        env: { PATH: context.env['PATH'], HOME: context.env['HOME'], DATABASE_URL: server.url, ...env },
      });
      closing.push(child.stop);
      return child;
    };
    return {
      ...{
        signal,
        client,
        controlPlaneFolder,
        facade,
        postgres,
        databaseUrl: server.url,
        kubeconfig,
        folder: world.folder,
        callers,
      },
      startNode,
      startOperator: (env = {}) =>
        startNode('operator', 'operator/main.ts', {
          KUBECONFIG: kubeconfig,
          LEASE_NAMESPACE: NAMESPACE,
          METRICS_PORT: '0',
          LOG_LEVEL: 'error',
          ...env,
        }),
      startFacade: (env) =>
        startNode('facade', 'api/main.ts', {
          KUBECONFIG: kubeconfig,
          INSTALLATION_NAMESPACE: NAMESPACE,
          LOG_LEVEL: 'error',
          ...env,
        }),
      makeNamespace,
      crowds: new Map(),
      atClose: (each) => void closing.push(each),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Measures pure functions in this process: no server is started for it. */
export type PureBenchmark = Readonly<{
  name: string;
  run: (options: Readonly<{ quick: boolean }>) => Promise<readonly Row[]>;
}>;

export type Benchmark = Readonly<{
  name: string;
  /** Rounds are five or more, unless the person asked for a quick look. */
  run: (house: House, options: Readonly<{ quick: boolean }>) => Promise<readonly Row[]>;
}>;
