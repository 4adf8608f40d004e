/** Metrics of controllers and their queues, with the names and buckets of controller-runtime and client-go. */
import type { Registry } from 'prom-client';
import type { QueueStats } from '../observation.ts';
import { metricsOf, type Report } from './registry.ts';

/** client-go's buckets for queues: 10 ns to 10 s in powers of ten, and controller-runtime's for reconciles. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** Those of controller-runtime, so that its dashboards are complete. */
const RESULTS = ['success', 'error', 'requeue', 'requeue_after'];

export function reconcileMetrics(registry: Registry): Report {
  const { counter, gauge, histogram } = metricsOf(registry);
  const byController = ['controller'] as const;
  const prefix = 'controller_runtime';
  const total = counter(`${prefix}_reconcile_total`, 'Reconciles by result', ['controller', 'result']);
  const errors = counter(`${prefix}_reconcile_errors_total`, 'Reconciles that threw', byController);
  const terminal = counter(
    `${prefix}_terminal_reconcile_errors_total`,
    'Reconciles not retried',
    byController,
  );
  const time = histogram(
    `${prefix}_reconcile_time_seconds`,
    'Duration of a reconcile',
    byController,
    RECONCILE_BUCKETS,
  );
  const active = gauge(`${prefix}_active_workers`, 'Workers that reconcile now', byController);
  const most = gauge(`${prefix}_max_concurrent_reconciles`, 'Workers', byController);
  return (fact) => {
    if (fact.type === 'ControllerStarted') {
      const { controller, workers } = fact;
      for (const result of RESULTS) total.inc({ controller, result }, 0);
      for (const metric of [errors, terminal]) metric.inc({ controller }, 0);
      time.zero({ controller });
      active.set({ controller }, 0);
      most.set({ controller }, workers);
    } else if (fact.type === 'ReconcileStarted') {
      active.inc({ controller: fact.controller });
    } else if (fact.type === 'ReconcileFinished') {
      const { controller, result, durationMs } = fact;
      active.dec({ controller });
      total.inc({ controller, result: result === 'terminal_error' ? 'error' : result });
      time.observe({ controller }, durationMs / 1000);
      if (fact.error !== undefined) errors.inc({ controller });
      if (result === 'terminal_error') terminal.inc({ controller });
    }
  };
}

export function queueMetrics(registry: Registry): Report {
  const { counter, gauge, histogram } = metricsOf(registry);
  const queues = new Map<string, () => QueueStats>();
  const byName = ['name'] as const;
  const adds = counter('workqueue_adds_total', 'Keys added', byName);
  const retries = counter('workqueue_retries_total', 'Keys added after a failure', byName);
  const waited = histogram('workqueue_queue_duration_seconds', 'Wait of a key', byName, QUEUE_BUCKETS);
  const worked = histogram('workqueue_work_duration_seconds', 'Work on a key', byName, QUEUE_BUCKETS);
  const live = (name: string, help: string, read: (stats: QueueStats) => number): void => {
    // Asked when scraped: a key that never ends causes no observation.
    gauge(name, help, byName, (metric) => {
      for (const [queue, stats] of queues) metric.set({ name: queue }, read(stats()));
    });
  };
  live('workqueue_depth', 'Keys that wait', ({ depth }) => depth);
  live('workqueue_unfinished_work_seconds', 'Age of all keys in hand', (stats) => stats.unfinishedMs / 1000);
  live(
    'workqueue_longest_running_processor_seconds',
    'Age of the oldest key in hand',
    (stats) => stats.longestRunningMs / 1000,
  );
  return (fact) => {
    switch (fact.type) {
      case 'QueueCreated':
        queues.set(fact.queue, fact.stats);
        for (const metric of [adds, retries]) metric.inc({ name: fact.queue }, 0);
        for (const metric of [waited, worked]) metric.zero({ name: fact.queue });
        return;
      case 'QueueAdded':
        return adds.inc({ name: fact.queue });
      case 'QueueStarted':
        return waited.observe({ name: fact.queue }, fact.waitedMs / 1000);
      case 'QueueDone':
        return worked.observe({ name: fact.queue }, fact.workedMs / 1000);
      case 'QueueRetried':
        return retries.inc({ name: fact.queue });
      default: // reported elsewhere
    }
  };
}
