/** Operator and facade as processes of their own, each waited for until it does its work. */
import { join } from 'node:path';
import type { Dev } from '../commands/dev.ts';
import { Interrupted } from '../failure.ts';
import { failOnExit, type ManagedProcess, startProcess } from '../processes/managed-process.ts';
import { rememberedPort } from '../processes/ports.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { Servers } from './servers.ts';

export const DEFAULT_PORT = 8080;
const READY_MS = 30_000;
const NAMESPACE = 'dcmarket-system';

/** Told of each process as soon as there is one, so that it is stopped also when it never becomes ready. */
export type Started = (program: ManagedProcess) => void;

export type ProgramOptions = Readonly<{
  servers: Servers;
  port: number;
  reload: boolean;
  started: Started;
}>;

/** Starts one of ours; `reload` lets Node start it again when a file that it imports is saved. */
export async function startProgram(
  { env, paths, clock }: Dev,
  program: Readonly<{
    name: string;
    entry: string;
    args?: readonly string[];
    env?: Readonly<Record<string, string>>;
    reload: boolean;
    started: Started;
  }>,
): Promise<ManagedProcess> {
  const watch = program.reload ? ['--watch', '--watch-preserve-output'] : [];
  const started = await startProcess({
    name: program.name,
    command: process.execPath,
    args: [...watch, join(paths.root, program.entry), ...(program.args ?? [])],
    folders: paths.folders,
    clock,
    cwd: paths.root,
    env: { ...env, ...program.env },
  });
  program.started(started);
  return started;
}

export function startOperator(
  dev: Dev,
  { servers, reload, started }: ProgramOptions,
): Promise<ManagedProcess> {
  return dev.progress.step('operator, leading', async (step) => {
    const port = await rememberedPort(dev.paths.ports, 'operator-metrics');
    const operator = await startProgram(dev, {
      name: 'operator',
      entry: 'operator/main.ts',
      reload,
      started,
      env: {
        KUBECONFIG: servers.kubeconfig,
        DATABASE_URL: servers.databaseUrl,
        METRICS_PORT: String(port),
        LEASE_NAMESPACE: NAMESPACE,
        // Nobody stands by here: after a crash the next start shall not wait long.
        LEASE_DURATION_SECONDS: '5',
        LEASE_RENEW_DEADLINE_SECONDS: '4',
        LEASE_RETRY_SECONDS: '1',
      },
    });
    step.report('waiting to lead; after a crash until the lease of the one before runs out');
    await whileRunning(dev, [operator], (own) =>
      waitUntil(() => expectOk(`http://127.0.0.1:${port}/leadz`), {
        ...waiting(own, 'the operator'),
        next: `See ${operator.logFile}.`,
      }),
    );
    step.detail(`metrics http://127.0.0.1:${port}/metrics`);
    return operator;
  });
}

export function startFacade(
  dev: Dev,
  { servers, port, reload, started }: ProgramOptions,
): Promise<ManagedProcess> {
  return dev.progress.step('facade', async (step) => {
    const metricsPort = await rememberedPort(dev.paths.ports, 'facade-metrics');
    const facade = await startProgram(dev, {
      name: 'facade',
      entry: 'api/main.ts',
      reload,
      started,
      env: {
        KUBECONFIG: servers.kubeconfig,
        DATABASE_URL: servers.databaseUrl,
        PORT: String(port),
        METRICS_PORT: String(metricsPort),
        PROVIDER_REGISTRATION: 'Open',
        INSTALLATION_NAMESPACE: NAMESPACE,
      },
    });
    await whileRunning(dev, [facade], (own) =>
      waitUntil(() => expectOk(`http://127.0.0.1:${port}/readyz`), {
        ...waiting(own, 'the facade'),
        next: `See ${facade.logFile}.`,
      }),
    );
    step.detail(`http://127.0.0.1:${port}/docs`);
    return facade;
  });
}

/** The result of `work`, or the failure of a process that it needs; then `work` is given up. */
export async function whileRunning<T>(
  dev: Dev,
  programs: readonly ManagedProcess[],
  work: (dev: Dev) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([dev.signal, over.signal]);
  try {
    return await Promise.race([work({ ...dev, signal }), ...programs.map(failOnExit)]);
  } finally {
    over.abort(new Interrupted('it is over'));
  }
}

export const waiting = ({ clock, signal }: Dev, what: string) => ({
  what,
  clock,
  signal,
  timeoutMs: READY_MS,
  pollMs: 50,
});

async function expectOk(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 300)}`);
}
