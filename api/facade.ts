/**
 * Wires and runs one facade: client, watches, store, server. `main.ts` calls it with the environment, tests with
 * a cluster of their own; two of them in one cluster know nothing of each other but what the API server says.
 */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createKubeClient } from '../kube/client.ts';
import type { KubeconfigSource } from '../kube/connection.ts';
import { createMetrics } from '../kube/metrics.ts';
import { logObservations, observeAll } from '../kube/observation.ts';
import { serverClock } from '../kube/server-clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { publicKeyCache } from '../lib/signature/key-cache.ts';
import { createStore } from '../store/store.ts';
import { normalAuthority } from './auth/authenticate.ts';
import { NonceStore } from './auth/nonces.ts';
import { createClients } from './clients.ts';
import { type Config, loopbackAuthorities, publicUrlOf } from './config.ts';
import { ContractGate } from './contract-gate.ts';
import type { Deps } from './deps.ts';
import { createInformers } from './informers.ts';
import { installationOf } from './installation.ts';
import { createPlacements } from './placement/placements.ts';
import { createSupply } from './placement/supply.ts';
import { createWorld } from './restore/world.ts';
import { type App, createServer } from './server.ts';
import { noStore } from './store-port.ts';
import { clusterHealthOf } from './system/cluster-health.ts';
import { addFacadeMetrics, serveMetrics } from './system/metrics.ts';
import { WAKE, Wakes } from './wake.ts';
import { createLiveContracts } from './work/live-contracts.ts';

export type Facade = Readonly<{
  app: App;
  /** Base URL that it listens on. */
  url: string;
  metricsUrl: string | undefined;
  /** Ends long polls and streams, answers what is under way, stops the watches. */
  stop: () => Promise<void>;
}>;

export type FacadeOptions = Readonly<{
  config: Config;
  kubeconfig: KubeconfigSource;
  clock: Clock;
  log: Logger;
  /** Aborting it while it starts ends the start. */
  signal: AbortSignal;
  /** Longest silence of a watch instead of the default of kube/, for tests. */
  watchStallMs?: number | undefined;
  /** Adds routes behind the same hooks, for a measurement to compare with. */
  extend?: ((app: App) => void) | undefined;
}>;

const DEFAULT_NAMESPACE = 'dcmarket';
const AGENT_ENTRY = join(import.meta.dirname, '..', 'agent', 'main.ts');
/** Requests that are still under way then are cut. */
const STOP_WITHIN_MS = 5000;

/** Resolves when it listens and its caches are filled. */
export async function startFacade({
  config,
  kubeconfig,
  clock: ownClock,
  log,
  signal,
  watchStallMs,
  extend,
}: FacadeOptions): Promise<Facade> {
  const stopping = new AbortController();
  const metrics = createMetrics({ clock: ownClock });
  const observe = observeAll(metrics.observe, logObservations(log));
  const kube = createKubeClient({ kubeconfig, clock: ownClock, observe, userAgent: 'dcmarket-facade' });
  const clock = serverClock(ownClock, kube.clockSkew);
  const clients = createClients(kube);
  const wakes = new Wakes(clock);
  const nonces = new NonceStore();
  const namespace = config.WATCH_NAMESPACE;
  const informers = createInformers({ clients, wakes, clock, log, observe, namespace, watchStallMs });
  const store = config.DATABASE_URL
    ? createStore({ databaseUrl: config.DATABASE_URL, clock, log })
    : undefined;
  const storePort = store ?? noStore();
  const installationNamespace = config.INSTALLATION_NAMESPACE ?? kube.namespace ?? DEFAULT_NAMESPACE;
  const installation = installationOf({ clients, namespace: installationNamespace });
  const world = createWorld({
    clients,
    contracts: informers.contracts,
    store: storePort,
    installation,
    namespace: installationNamespace,
    watched: namespace,
    clock,
    log,
    observe,
    watchStallMs,
    stopping: stopping.signal,
  });
  const supply = createSupply({
    informers,
    caches: informers.caches,
    clock,
    onPresence: (agentUID) => wakes.notify(WAKE.agent(agentUID)),
  });
  const orphanMinAgeMs = config.ORPHAN_MIN_AGE_SECONDS * 1000;
  const countRequests = addFacadeMetrics({ registry: metrics.registry, nonces, wakes, world: world.keeper });
  let authorities: ReadonlySet<string> = new Set(config.PUBLIC_AUTHORITIES?.map(normalAuthority));
  let publicUrl = config.PUBLIC_URL ?? publicUrlOf(config.PUBLIC_AUTHORITIES?.[0] ?? config.HOST);
  const deps: Deps = {
    clients,
    caches: informers.caches,
    wakes,
    gate: new ContractGate(),
    claims: new ContractGate(),
    supply,
    placements: createPlacements({ supply, caches: informers.caches, clock }),
    headStartMs: config.HEAD_START_SECONDS * 1000,
    liveContracts: createLiveContracts({ clients, clock, lookEveryMs: Math.min(60_000, orphanMinAgeMs) }),
    orphanMinAgeMs,
    world: world.keeper,
    store: storePort,
    installation,
    nonces,
    keys: publicKeyCache(),
    clock,
    log,
    authorities: () => authorities,
    publicUrl: () => publicUrl,
    registration: config.PROVIDER_REGISTRATION,
    agentEntry: config.AGENT_ENTRY ?? AGENT_ENTRY,
    clusterHealth: clusterHealthOf(kube, ownClock),
    stopping: stopping.signal,
  };
  const app = await createServer(deps);
  countRequests(app);
  extend?.(app);
  const watches = Promise.all([informers.run(stopping.signal), world.run(stopping.signal)]);
  const metricsServer =
    config.METRICS_PORT === undefined
      ? undefined
      : await serveMetrics(metrics.registry, { host: config.HOST, port: config.METRICS_PORT });
  const stop = async (): Promise<void> => {
    stopping.abort();
    const cut = clock.after(STOP_WITHIN_MS, () => app.server.closeAllConnections());
    await app.close();
    cut.cancel();
    metricsServer?.close();
    metricsServer?.closeAllConnections();
    await watches;
    await store?.close();
    await kube.close();
    metrics.close();
  };
  try {
    await app.listen({ host: config.HOST, port: config.PORT });
    if (!config.PUBLIC_AUTHORITIES) {
      const names = loopbackAuthorities(portOf(app.server.address()));
      authorities = new Set(names);
      publicUrl = config.PUBLIC_URL ?? publicUrlOf(names[0] ?? config.HOST);
    }
    await Promise.all([informers.synced(signal), world.synced(signal)]);
  } catch (error) {
    await stop();
    throw error;
  }
  const metricsPort = metricsServer && portOf(metricsServer.address());
  return {
    app,
    url: `http://${config.HOST}:${portOf(app.server.address())}`,
    metricsUrl: metricsPort === undefined ? undefined : `http://${config.HOST}:${metricsPort}/metrics`,
    stop,
  };
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;
