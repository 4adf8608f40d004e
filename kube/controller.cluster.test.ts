import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { createController, type Reconciler, TerminalError } from './controller.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { keyOf, refOf } from './object.ts';
import { openScene, type Scene } from './testing/cluster.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';
import { readYourWrites } from './write.ts';

let scene: Scene;
let metrics: Metrics;
beforeAll(async () => {
  metrics = createMetrics({ clock: systemClock });
  scene = await openScene({ observe: metrics.observe });
});
afterAll(async () => {
  await scene.close();
  metrics.close();
});

const maps = () => scene.client.resource<ConfigMap>(CONFIG_MAPS);
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

async function control(of: string, reconcile: Reconciler, options = {}) {
  const informer = await scene.inform({ labelSelector: `of=${of}`, observe: metrics.observe });
  const controller = createController({
    name: of,
    sources: [{ informer, mapToKeys: ({ object }) => [keyOf(object)] }],
    reconcile,
    workers: 4,
    observe: metrics.observe,
    ...options,
  });
  const stop = new AbortController();
  const running = controller.run(AbortSignal.any([stop.signal, scene.signal]));
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { informer, controller, end };
}
const put = (of: string, name: string, data = {}) =>
  maps().create({ metadata: { namespace: scene.namespace, name, labels: { of } }, data });

test('every object is brought to its state, with one write each, and then nothing is written', async () => {
  for (const name of names('before', 5)) await put('copy', name, { want: name });
  let writes = 0;
  const informer = await scene.inform({ labelSelector: 'of=copy' });
  const own = readYourWrites(maps(), informer);
  const controller = createController({
    name: 'copy',
    sources: [{ informer, mapToKeys: ({ object }) => [keyOf(object)] }],
    workers: 4,
    observe: metrics.observe,
    reconcile: async ({ key, signal }) => {
      const map = informer.cache.get(key);
      if (!map || map.data?.['is'] === map.data?.['want']) return {};
      writes++;
      await own.update({ ...map, data: { ...map.data, is: map.data?.['want'] ?? '' } }, { signal });
      return {};
    },
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  for (const name of names('after', 5)) await put('copy', name, { want: name });
  const isDone = () =>
    informer.cache.list().filter(({ data }) => data?.['is'] === data?.['want']).length === 10;
  await expect.poll(isDone, { timeout: 10_000 }).toBe(true);
  await expect.poll(() => controller.queue.stats()).toMatchObject({ depth: 0, unfinishedMs: 0 });
  expect(writes).toBe(10);
  stop.abort();
  await running;
});

test('an error is tried again, a terminal one is not, and both are counted', async () => {
  const tries = new Map<string, number>();
  const { end } = await control('fail', async ({ key }) => {
    const { name } = refOf(key);
    const count = (tries.get(name) ?? 0) + 1;
    tries.set(name, count);
    if (name === 'terminal') throw new TerminalError('no use');
    if (count < 4) throw new Error('not yet');
    return {};
  });
  await put('fail', 'flaky');
  await put('fail', 'terminal');
  await expect.poll(() => tries.get('flaky'), { timeout: 5000 }).toBe(4);
  await end();
  expect(tries.get('terminal')).toBe(1);
  const text = await metrics.text();
  expect(text).toContain('controller_runtime_reconcile_total{controller="fail",result="error"} 4');
  expect(text).toContain('controller_runtime_reconcile_total{controller="fail",result="success"} 1');
  expect(text).toContain('controller_runtime_terminal_reconcile_errors_total{controller="fail"} 1');
  expect(text).toContain('workqueue_retries_total{name="fail"} 3');
});

test('a reconcile can ask to be called again', async () => {
  const at: number[] = [];
  const { end } = await control('again', async () => {
    at.push(performance.now());
    return at.length < 3 ? { requeueAfterMs: 50 } : {};
  });
  await put('again', 'again');
  await expect.poll(() => at.length, { timeout: 5000 }).toBe(3);
  await end();
  expect(Number(at[2]) - Number(at[0])).toBeGreaterThan(95);
});

test('one key never runs twice at once, and is run again for what changed meanwhile', async () => {
  let running = 0;
  let most = 0;
  const seen: string[] = [];
  const { informer, end } = await control('once', async ({ key }) => {
    most = Math.max(most, ++running);
    seen.push(informer.cache.get(key)?.data?.['n'] ?? 'gone');
    await systemClock.sleep(30);
    running--;
    return {};
  });
  let map = await put('once', 'once', { n: '0' });
  for (let n = 1; n <= 10; n++) map = await maps().update({ ...map, data: { n: String(n) } });
  await expect.poll(() => seen.at(-1), { timeout: 5000 }).toBe('10');
  await end();
  expect(most).toBe(1);
  expect(seen.length).toBeLessThan(11);
});

test('resync looks at every object again', async () => {
  let calls = 0;
  const { end } = await control(
    'resync',
    async () => {
      calls++;
      return {};
    },
    { resyncMs: 40 },
  );
  await put('resync', 'resync');
  await expect.poll(() => calls, { timeout: 5000 }).toBeGreaterThan(3);
  await end();
});

test('stopping waits for the reconcile in hand and begins no other', async () => {
  const ended: string[] = [];
  const begun = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const { end } = await control(
    'stop',
    async ({ key }) => {
      begun.resolve();
      await stopped.promise; // in hand until the stop has been asked for, however slow the machine is
      ended.push(key);
      return {};
    },
    { workers: 1 },
  );
  for (const name of names('stop', 3)) await put('stop', name);
  await begun.promise;
  const ending = end();
  stopped.resolve();
  await ending;
  expect(ended).toHaveLength(1);
});
