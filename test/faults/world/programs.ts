/**
 * Operator and facades of one world, in this process, each behind proxies of its own. `kill` is what SIGKILL is to
 * the rest of the world: nothing that the program still does reaches anybody. (Real SIGKILLs: `crash/`.)
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig as readFacadeConfig } from '../../../api/config.ts';
import { startFacade } from '../../../api/facade.ts';
import { createLogger, type Logger } from '../../../lib/log.ts';
import { readConfig as readOperatorConfig } from '../../../operator/config.ts';
import { runOperator } from '../../../operator/run.ts';
import { openFlakyProxy } from '../../../store/flaky-proxy.ts';
import { type ApiServerProxy, type Exchange, type Fault, openApiServerProxy } from '../proxy/api-server.ts';
import type { WorldClock } from '../proxy/upstream.ts';

export type Program = Readonly<{
  /** Of an operator: as in the leader's Lease. */
  identity?: string;
  api: ApiServerProxy;
  /** Of a facade. */
  url?: string;
  /** SIGTERM. */
  stop: () => Promise<void>;
  /** Whatever it sends to the API server from now on is held back for so long. Hurried. */
  stall: (ms: number) => Promise<void>;
  /** SIGKILL; resolves at once. */
  kill: () => void;
}>;

export type Setting = Readonly<{
  /** File of an administrator. */
  kubeconfig: string;
  namespace: string;
  clock: WorldClock;
  /** What each instance reaches PostgreSQL by; it gets a way of its own that dies with it. */
  databaseUrl: string;
  /** Of the agents' proxy. */
  authority: string;
  lease: LeaseLength;
  /** Asked for each request to the API server. */
  rule: (from: 'operator' | 'facade', exchange: Exchange) => Fault;
}>;

/**
 * The leader's Lease in hurried time. Short: a leader that is killed is followed after two and a half real seconds,
 * but a machine that is busy elsewhere for two makes it step down. Long: it stays where nobody wants its place.
 */
const LEASES = {
  Short: { leaseDurationMs: 25_000, renewDeadlineMs: 18_000, retryPeriodMs: 3000 },
  Long: { leaseDurationMs: 120_000, renewDeadlineMs: 100_000, retryPeriodMs: 10_000 },
} as const;
export type LeaseLength = keyof typeof LEASES;
/** Real time: undici measures it. */
const WATCH_STALL_MS = 3000;

export const quietLog = (name: string): Logger =>
  createLogger({ name, level: process.env['TEST_LOG'] === 'debug' ? 'debug' : 'silent' });

/** Resolves when its caches are asked for; it leads when the Lease is free. */
export async function startOperator(setting: Setting, identity: string): Promise<Program> {
  const { namespace, clock } = setting;
  const way = await openWay(setting, 'operator');
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-operator-'));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, way.api.kubeconfigText);
  const stopping = new AbortController();
  const running = runOperator({
    config: readOperatorConfig({
      KUBECONFIG: file,
      DATABASE_URL: way.database.url,
      METRICS_PORT: '0',
      LEASE_NAMESPACE: namespace,
      WATCH_NAMESPACE: namespace,
    }),
    log: quietLog(`operator ${identity}`),
    clock,
    identity,
    signal: stopping.signal,
    timing: { ...LEASES[setting.lease], watchStallMs: WATCH_STALL_MS },
  });
  const ended = running
    .catch((error: unknown) => {
      if (!stopping.signal.aborted) process.stderr.write(`operator ${identity} ended: ${String(error)}\n`);
    })
    .finally(() => rmSync(folder, { recursive: true, force: true }));
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('stopped'));
    await ended;
    await way.close();
  };
  return {
    identity,
    api: way.api,
    stall: way.stall,
    stop,
    kill: () => {
      way.cut();
      void stop();
    },
  };
}

export async function startFacadeProgram(setting: Setting, name: string): Promise<Program> {
  const { namespace, clock, authority } = setting;
  const way = await openWay(setting, 'facade');
  const facade = await startFacade({
    config: readFacadeConfig({
      PORT: '0',
      DATABASE_URL: way.database.url,
      INSTALLATION_NAMESPACE: namespace,
      WATCH_NAMESPACE: namespace,
      PUBLIC_AUTHORITIES: authority,
    }),
    kubeconfig: { text: way.api.kubeconfigText },
    clock,
    log: quietLog(name),
    signal: new AbortController().signal,
    watchStallMs: WATCH_STALL_MS,
  });
  const stop = async (): Promise<void> => {
    await facade.stop();
    await way.close();
  };
  return {
    api: way.api,
    stall: way.stall,
    url: facade.url,
    stop,
    kill: () => {
      facade.app.server.close();
      facade.app.server.closeAllConnections();
      way.cut();
      void stop();
    },
  };
}

async function openWay({ clock, databaseUrl, kubeconfig, rule }: Setting, from: 'operator' | 'facade') {
  const api = await openApiServerProxy(kubeconfig, { clock });
  let stalledUntilMs = 0;
  api.decide((exchange) => {
    const leftMs = stalledUntilMs - clock.monotonicMs();
    return leftMs > 0 ? { type: 'Delay', ms: leftMs } : rule(from, exchange);
  });
  const database = await openFlakyProxy(databaseUrl);
  let closed: Promise<void> | undefined;
  const cut = (): void => {
    closed ??= Promise.all([api.close(), database.close()]).then(() => undefined);
  };
  return {
    api,
    database,
    stall: (ms: number): Promise<void> => {
      stalledUntilMs = clock.monotonicMs() + ms;
      return clock.sleep(ms);
    },
    cut,
    close: async () => {
      cut();
      await closed;
    },
  };
}
