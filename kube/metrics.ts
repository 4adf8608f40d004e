/**
 * Observations as Prometheus metrics, under the names that dashboards for controller-runtime and client-go know.
 * Counters begin at 0 for each controller and queue, so that `rate()` sees the first increase. Durations are in
 * seconds, as Prometheus wants them.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';
import { cacheMetrics, clientMetrics } from './metrics/client.ts';
import { queueMetrics, reconcileMetrics } from './metrics/controller.ts';
import { metricsOf, type Report } from './metrics/registry.ts';
import type { Observe } from './observation.ts';

export type Metrics = Readonly<{
  observe: Observe;
  registry: Registry;
  /** Text exposition, for `/metrics`. */
  text: () => Promise<string>;
  contentType: string;
  /** Ends the measurement of the event loop. */
  close: () => void;
}>;

export function createMetrics({ clock }: { clock: Clock }): Metrics {
  const registry = new Registry();
  const reports = [
    reconcileMetrics(registry),
    queueMetrics(registry),
    clientMetrics(registry),
    cacheMetrics(registry, clock),
    leaderMetrics(registry),
  ];
  const closeLag = eventLoopLag(registry);
  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observe: (fact) => {
      for (const report of reports) report(fact);
    },
    close: closeLag,
  };
}

function leaderMetrics(registry: Registry): Report {
  const { counter, gauge } = metricsOf(registry);
  const master = gauge('leader_election_master_status', '1 while this process leads', ['name']);
  const failed = counter('leader_election_failures_total', 'Renewals that failed', ['name']);
  return (fact) => {
    if (fact.type === 'LeadershipChanged') master.set({ name: fact.lease }, fact.isLeader ? 1 : 0);
    if (fact.type === 'LeaseAttemptFailed') failed.inc({ name: fact.lease });
  };
}

/** A blocked event loop is how a leader misses its renewal; the worst since the last scrape is what counts. */
function eventLoopLag(registry: Registry): () => void {
  const resolution = 20;
  const lag = monitorEventLoopDelay({ resolution });
  lag.enable();
  const quantiles = { p50: 50, p99: 99 } as const;
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolution / 1e3);
  const { gauge } = metricsOf(registry);
  gauge(
    'nodejs_eventloop_lag_seconds',
    'Delay of the event loop since the last scrape',
    ['quantile'],
    (metric) => {
      for (const [quantile, percent] of Object.entries(quantiles))
        metric.set({ quantile }, seconds(lag.percentile(percent)));
      metric.set({ quantile: 'max' }, lag.count > 0 ? seconds(lag.max) : 0);
      lag.reset();
    },
  );
  return () => lag.disable();
}
