/** Metrics of requests, writes, watches and caches. */
import type { Registry } from 'prom-client';
import type { Clock } from '../../lib/clock.ts';
import { metricsOf, type Report } from './registry.ts';

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function clientMetrics(registry: Registry): Report {
  const { counter, histogram } = metricsOf(registry);
  const requests = counter('rest_client_requests_total', 'Requests', ['code', 'method', 'host']);
  const durations = histogram(
    'rest_client_request_duration_seconds',
    'Time until the headers of the answer',
    ['verb', 'host'],
    REQUEST_BUCKETS,
  );
  const dropped = counter('events_dropped_total', 'Events that were not written', ['reason']);
  const conflicts = counter('write_conflicts_total', 'Conflicts after which was decided again', ['resource']);
  const awaited = counter('write_awaited_total', 'Waits for an own write', ['resource', 'outcome']);
  for (const reason of ['QueueFull', 'Refused', 'DrainTimedOut', 'Stopped']) dropped.inc({ reason }, 0);
  return (fact) => {
    switch (fact.type) {
      case 'RequestFinished':
        requests.inc({ code: fact.code, method: fact.method, host: fact.host });
        return durations.observe({ verb: fact.method, host: fact.host }, fact.durationMs / 1000);
      case 'EventsDropped':
        return dropped.inc({ reason: fact.reason }, fact.count);
      case 'ConflictRetried':
        return conflicts.inc({ resource: fact.resource });
      case 'WriteAwaited':
        return awaited.inc({ resource: fact.resource, outcome: fact.outcome });
      default: // reported elsewhere
    }
  };
}

export function cacheMetrics(registry: Registry, clock: Clock): Report {
  const { counter, gauge } = metricsOf(registry);
  const by = ['resource'] as const;
  const startedMs = new Map<string, number>();
  const relists = counter('reflector_relists_total', 'Complete lists', ['resource', 'reason']);
  const ends = counter('reflector_watch_ends_total', 'Watches that ended', ['resource', 'reason']);
  const age = gauge('reflector_watch_age_seconds', 'Since when the watch runs', by, (metric) => {
    for (const [resource, atMs] of startedMs) metric.set({ resource }, (clock.monotonicMs() - atMs) / 1000);
  });
  const version = gauge('cache_resource_version', 'Up to where the cache has seen', by);
  const objects = gauge('cache_objects', 'Objects in the cache', by);
  const threw = counter('informer_consumer_errors_total', 'Handlers, indexers and mappers that threw', by);
  const wentBack = counter('reflector_went_back_total', 'Restores of an older etcd that were noticed', by);
  return (fact) => {
    switch (fact.type) {
      case 'Relisted':
        wentBack.inc({ resource: fact.resource }, 0);
        threw.inc({ resource: fact.resource }, 0);
        return relists.inc({ resource: fact.resource, reason: fact.because });
      case 'WatchStarted':
        startedMs.set(fact.resource, fact.atMonotonicMs);
        return;
      case 'WatchEnded':
        startedMs.delete(fact.resource);
        age.set({ resource: fact.resource }, 0);
        return ends.inc({ resource: fact.resource, reason: fact.because });
      case 'CacheAdvanced':
        version.set({ resource: fact.resource }, Number(fact.resourceVersion));
        return objects.set({ resource: fact.resource }, fact.objects);
      case 'WentBack':
        return wentBack.inc({ resource: fact.resource });
      case 'ConsumerThrew':
        return threw.inc({ resource: fact.resource });
      default: // reported elsewhere
    }
  };
}
