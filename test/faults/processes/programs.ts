/** Operator, facade and agent as processes, with settings that make a test short and nothing else different. */
import { join } from 'node:path';
import type { ProcessFolders } from '../../../dev/processes/managed-process.ts';
import { isFree } from '../../../dev/processes/ports.ts';
import { systemClock } from '../../../lib/clock.ts';
import { type Program, startProgram } from './program.ts';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Short enough that a start after SIGKILL does not wait long, long enough for two busy cores. */
const SHORT_LEASE = {
  LEASE_DURATION_SECONDS: '4',
  LEASE_RENEW_DEADLINE_SECONDS: '3.4',
  LEASE_RETRY_SECONDS: '0.4',
};
/** What a kernel gives to connections by itself begins above: a port of ours stays free while its process is dead. */
const PORTS = { from: 12_000, to: 30_000 };

/** What a program reaches the API server and PostgreSQL by. */
export type Way = Readonly<{ kubeconfig: string; databaseUrl: string }>;

type Options = Readonly<{
  folders: ProcessFolders;
  namespace: string;
  leaderLease: 'Short' | 'Default';
  /** Where Node keeps what it has compiled: a second start is faster. */
  cacheFolder: string;
}>;

export type Programs = Readonly<{
  operator: (name: string, way: Way) => Promise<Program>;
  facade: (way: Way & { port: number }) => Promise<Program>;
  agent: (
    name: string,
    options: Readonly<{ config: string; environment: Readonly<Record<string, string>> }>,
  ) => Promise<Program>;
}>;

export function createPrograms({ folders, namespace, leaderLease, cacheFolder }: Options): Programs {
  const lease = leaderLease === 'Short' ? SHORT_LEASE : {};
  const start = (name: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
    startProgram({
      name: `${namespace}-${name}`,
      command: process.execPath,
      args,
      folders,
      clock: systemClock,
      cwd: ROOT,
      env: { ...baseEnvironment(), NODE_COMPILE_CACHE: cacheFolder, LOG_LEVEL: 'info', ...env },
    });
  const base = ({ kubeconfig, databaseUrl }: Way) => ({
    KUBECONFIG: kubeconfig,
    DATABASE_URL: databaseUrl,
    WATCH_NAMESPACE: namespace,
    METRICS_PORT: '0',
  });
  return {
    operator: (name, way) =>
      start(name, [join(ROOT, 'operator/main.ts')], { ...base(way), ...lease, LEASE_NAMESPACE: namespace }),
    facade: ({ port, ...way }) =>
      start('facade', [join(ROOT, 'api/main.ts')], {
        ...base(way),
        INSTALLATION_NAMESPACE: namespace,
        PORT: String(port),
      }),
    agent: (name, { config, environment }) =>
      start(name, [join(ROOT, 'agent/main.ts'), 'run', '--config', config], environment),
  };
}

export const baseEnvironment = (): Record<string, string | undefined> => ({
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
});

export async function stablePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (await isFree(port)) return port;
  }
}
