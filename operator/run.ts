/**
 * Wires the operator: caches run from the start, so that a standby takes over at once; controllers run only
 * while this process leads, and every write of theirs checks that it still does.
 */
import { ONLINE_WITHIN_MS } from '../crds/contract/numbers.ts';
import { createKubeClient } from '../kube/client.ts';
import { configMapsOf } from '../kube/config-map.ts';
import { createEventRecorder, type EventRecorder } from '../kube/events.ts';
import { NotLeadingError, runLeaderElection } from '../kube/leader-election.ts';
import { createMetrics } from '../kube/metrics.ts';
import { logObservations, observeAll } from '../kube/observation.ts';
import { serverClock } from '../kube/server-clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createStore } from '../store/store.ts';
import { agentController } from './agent/controller.ts';
import { recordAgents } from './agent/events.ts';
import { agentPoolController } from './agent-pool/controller.ts';
import { createClients, createInformers, type Informers, leasesOf } from './clients.ts';
import type { OperatorConfig } from './config.ts';
import { keepChronicle, type TellGiveUp } from './contract/chronicle.ts';
import { contractController } from './contract/controller.ts';
import { recordGiveUp, recordMoves } from './contract/events.ts';
import { createTellStuck, type TellStuck } from './contract/stuck.ts';
import { migrateUntilDone, sweepKeys } from './database.ts';
import type { OperatorDeps } from './deps.ts';
import { startHealth } from './health.ts';
import { addMetrics } from './metrics.ts';
import { closingController } from './restore/closing.ts';
import type { RestoreDeps } from './restore/deps.ts';
import { firstLook, keepWorld } from './restore/keeper.ts';
import { addRestoreMetrics } from './restore/metrics.ts';
import { createOperatorWorld } from './restore/world.ts';
import { offeringController, providerController, setupTokenController } from './small-controllers.ts';
import { openAttemptBook } from './supply/attempt-book.ts';
import { keepSupply } from './supply/keeper.ts';

export type OperatorOptions = Readonly<{
  config: OperatorConfig;
  log: Logger;
  clock: Clock;
  /** Unique among the replicas. */
  identity: string;
  signal: AbortSignal;
  /** Instead of the defaults of kube/, for tests. */
  timing?: OperatorTiming | undefined;
}>;

export type OperatorTiming = Readonly<{
  /** The leader's Lease, as in kube/leader-election.ts. */
  leaseDurationMs?: number;
  renewDeadlineMs?: number;
  retryPeriodMs?: number;
  /** Longest silence of a watch. */
  watchStallMs?: number;
  /** The test moves time on: the clock of the API server stays behind and is not asked. */
  isTimeMoved?: boolean;
}>;

const LEASE = 'dcmarket-operator';
/** Short of the time that a pod has to stop. */
const EVENTS_DRAIN_MS = 3_000;

/** Resolves after `signal`, when everything has stopped and the Lease is released. */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { config, log, clock: ownClock, identity, signal } = options;
  const { watchStallMs, isTimeMoved = false, ...leaseTiming } = options.timing ?? {};
  const metrics = createMetrics({ clock: ownClock });
  const observe = observeAll(metrics.observe, logObservations(log));
  const client = createKubeClient({
    kubeconfig: config.KUBECONFIG ? { file: config.KUBECONFIG } : 'InCluster',
    userAgent: 'dcmarket-operator',
    clock: ownClock,
    observe,
  });
  // A host whose clock is wrong or jumps would end every rental, and nothing brings their machines back.
  const clock = isTimeMoved ? ownClock : serverClock(ownClock, client.clockSkew);
  const store = createStore({ databaseUrl: config.DATABASE_URL, clock, log });
  const watched = config.WATCH_NAMESPACE;
  const failedGraceMs =
    config.FAILED_GRACE_SECONDS === undefined ? undefined : config.FAILED_GRACE_SECONDS * 1000;
  const retentionMs = config.RETENTION_SECONDS === undefined ? undefined : config.RETENTION_SECONDS * 1000;
  const informers = createInformers(
    { client, clock, observe, log, namespace: watched, watchStallMs },
    createClients(client),
  );
  const supply = keepSupply(informers);
  const book = openAttemptBook({ contracts: informers.contracts, attempts: store.attempts, clock, log });
  const { countGiveUp, countStuck } = addMetrics(metrics.registry, { informers, clock });
  const namespace = config.LEASE_NAMESPACE ?? client.namespace ?? 'default';
  const world = createOperatorWorld({
    configMaps: configMapsOf(client),
    contracts: informers.contracts,
    store,
    namespace: config.INSTALLATION_NAMESPACE ?? namespace,
    clock,
    log,
    observe,
    watchStallMs,
    signal,
  });
  addRestoreMetrics(metrics.registry, world);
  const election = runLeaderElection({
    leaseDurationMs: config.LEASE_DURATION_SECONDS * 1000,
    renewDeadlineMs: config.LEASE_RENEW_DEADLINE_SECONDS * 1000,
    retryPeriodMs: config.LEASE_RETRY_SECONDS * 1000,
    ...leaseTiming,
    client,
    namespace,
    name: LEASE,
    identity,
    clock,
    observe,
    log,
    signal,
    onStartedLeading: (leading) => {
      const guarded = client.guarded(() => election.assertLeading());
      const recorder = createEventRecorder({
        client: guarded,
        reportingController: 'dcmarket.io/operator',
        reportingInstance: identity,
        clock,
        observe,
      });
      const clients = createClients(guarded);
      const shared = {
        clients,
        informers,
        supply,
        book,
        store,
        world,
        clock,
        observe,
        log,
        namespace: watched,
      };
      const deps = { ...shared, failedGraceMs, retentionMs };
      const restore = {
        ...shared,
        recorder,
        configMaps: configMapsOf(guarded),
        leases: leasesOf(guarded),
        settleMs: settleMsOf(config),
        heardForMs: (config.RESTORE_HEARD_SECONDS ?? HEARD_FOR_SECONDS) * 1000,
      };
      const tell: TellGiveUp = (contract, giveUp) => {
        countGiveUp(giveUp.reason);
        recordGiveUp(recorder, { contract, giveUp });
      };
      const tellStuck = createTellStuck({ recorder, count: countStuck, clock });
      return runControllers(deps, { recorder, tell, tellStuck, restore, signal: leading });
    },
  });
  const health = await startHealth(
    {
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
      isSynced: () => [...allOf(informers), world.informer].every((one) => one.isSynced()),
      isLeading: election.isLeader,
    },
    { host: config.METRICS_HOST, port: config.METRICS_PORT },
  );
  log.info({ identity, namespace }, 'operator started');
  const caches = Promise.all([...allOf(informers), world.informer].map((informer) => informer.run(signal)));
  try {
    const database = migrateUntilDone({ store, clock, log }, signal);
    await Promise.all([election.done, caches, database, book.load(signal)]);
  } finally {
    health.close();
    health.closeAllConnections();
    metrics.close();
    await client.close();
    await store.close();
    log.info('operator stopped');
  }
}

/** Most agents list within seconds of hearing of a restore; one that beats and never lists must not hold all. */
const HEARD_FOR_SECONDS = 300;

/** As long as an agent is called online after its last heartbeat. */
const settleMsOf = ({ RESTORE_SETTLE_SECONDS: seconds }: OperatorConfig): number =>
  seconds === undefined ? ONLINE_WITHIN_MS : seconds * 1000;

const allOf = (informers: Informers) => Object.values(informers);

type Leading = Readonly<{
  recorder: EventRecorder;
  tell: TellGiveUp;
  tellStuck: TellStuck;
  restore: RestoreDeps;
  signal: AbortSignal;
}>;

async function runControllers(
  deps: OperatorDeps,
  { recorder, tell, tellStuck, restore, signal }: Leading,
): Promise<void> {
  // An older etcd is better noticed before the first decision than after it.
  await firstLook(restore, signal);
  const controllers = [
    providerController(deps),
    agentPoolController(deps),
    agentController(deps),
    setupTokenController(deps),
    offeringController(deps),
    contractController(deps, tellStuck),
    closingController(deps),
  ];
  const stopEvents = [
    recordMoves(deps.informers.contracts, recorder),
    recordAgents(deps.informers.agents, recorder),
  ];
  const over = new AbortController();
  const writing = recorder.run(over.signal);
  try {
    await Promise.all([
      sweepKeys(deps, signal),
      keepWorld(restore, signal),
      keepChronicle({ ...deps, contracts: deps.informers.contracts, tell }, signal),
      ...controllers.map((controller) => controller.run(signal)),
    ]);
  } finally {
    for (const stop of stopEvents) stop();
    // What was recorded is still ours to write, unless somebody else leads already.
    if (!(signal.reason instanceof NotLeadingError)) await recorder.drain({ deadlineMs: EVENTS_DRAIN_MS });
    over.abort();
    await writing;
  }
}
