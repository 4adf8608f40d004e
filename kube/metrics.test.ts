import { afterEach, expect, test } from 'vitest';
import { fakeClock } from '../lib/fake-clock.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createQueue } from './queue.ts';

const open: Metrics[] = [];
afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});
const setUp = () => {
  const clock = fakeClock();
  const metrics = createMetrics({ clock });
  open.push(metrics);
  return { clock, metrics };
};

test('dashboards find every name they know', async () => {
  const text = await setUp().metrics.text();
  for (const name of [
    'controller_runtime_reconcile_total',
    'controller_runtime_reconcile_errors_total',
    'controller_runtime_reconcile_time_seconds',
    'controller_runtime_active_workers',
    'controller_runtime_max_concurrent_reconciles',
    'workqueue_depth',
    'workqueue_adds_total',
    'workqueue_queue_duration_seconds',
    'workqueue_work_duration_seconds',
    'workqueue_unfinished_work_seconds',
    'workqueue_longest_running_processor_seconds',
    'workqueue_retries_total',
    'rest_client_requests_total',
    'leader_election_master_status',
  ])
    expect(text).toContain(`# TYPE ${name} `);
});

test('counters begin at 0, so that the first increase is seen', async () => {
  const { metrics } = setUp();
  metrics.observe({ type: 'ControllerStarted', controller: 'c', workers: 3 });
  const text = await metrics.text();
  expect(text).toContain('controller_runtime_reconcile_total{controller="c",result="error"} 0');
  expect(text).toContain('controller_runtime_reconcile_errors_total{controller="c"} 0');
  expect(text).toContain('controller_runtime_max_concurrent_reconciles{controller="c"} 3');
});

test('a key that never ends is seen without any observation', async () => {
  const { clock, metrics } = setUp();
  const queue = createQueue({ name: 'q', clock, observe: metrics.observe });
  for (const key of ['a', 'b']) queue.add(key);
  await queue.get(new AbortController().signal);
  await clock.advance(90_000);
  const text = await metrics.text();
  expect(text).toContain('workqueue_depth{name="q"} 1');
  expect(text).toContain('workqueue_longest_running_processor_seconds{name="q"} 90');
});

test('the age of a watch grows until it ends', async () => {
  const { clock, metrics } = setUp();
  metrics.observe({ type: 'WatchStarted', resource: 'pods', resourceVersion: '1', atMonotonicMs: 0 });
  await clock.advance(30_000);
  expect(await metrics.text()).toContain('reflector_watch_age_seconds{resource="pods"} 30');
  metrics.observe({ type: 'WatchEnded', resource: 'pods', because: 'Stalled', retryInMs: 0 });
  expect(await metrics.text()).toContain('reflector_watch_age_seconds{resource="pods"} 0');
});
