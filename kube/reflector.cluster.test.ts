import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { createKubeClient } from './client.ts';
import { type Change, createInformer, type Informer } from './informer.ts';
import type { Observation } from './observation.ts';
import type { ResourceClient, ResourceType } from './resource.ts';
import { openScene, type Scene } from './testing/cluster.ts';
import { startProxy } from './testing/freezable-proxy.ts';
import { changeWidgets, defineWidgets, type Widget } from './testing/widget.ts';

let scene: Scene;
let type: ResourceType;
const ending: (() => Promise<void>)[] = [];
beforeAll(async () => {
  scene = await openScene();
  type = await defineWidgets(scene.client);
});
afterAll(async () => {
  for (const end of ending.reverse()) await end();
  await scene.close();
});

const widgets = () => scene.client.resource<Widget>(type);
const put = (name: string, of: string, size = 1) =>
  widgets().create({ metadata: { namespace: scene.namespace, name, labels: { of } }, spec: { size } });
const remove = (name: string) => widgets().delete({ namespace: scene.namespace, name });
const seen = ({ metadata }: Widget) => ({ resourceVersion: metadata.resourceVersion ?? '' });

async function follow(
  of: string,
  options: { resource?: ResourceClient<Widget>; pageSize?: number; stallMs?: number } = {},
): Promise<{ informer: Informer<Widget>; changes: string[]; facts: Observation[] }> {
  const facts: Observation[] = [];
  const informer = createInformer<Widget>({
    resource: widgets(),
    namespace: scene.namespace,
    labelSelector: `of=${of}`,
    clock: systemClock,
    observe: (fact) => facts.push(fact),
    ...options,
  });
  const changes: string[] = [];
  informer.onChange((change: Change<Widget>) => {
    changes.push(`${change.type} ${change.object.metadata.name}`);
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  ending.push(() => {
    stop.abort();
    return running;
  });
  await informer.synced(stop.signal);
  return { informer, changes, facts };
}

test('a place that the API server has forgotten is 410, and the list after it finds what was deleted', async () => {
  await put('gap-1', 'gap');
  await put('gap-2', 'gap');
  const gap = Promise.withResolvers<void>();
  let watches = 0;
  const resource: ResourceClient<Widget> = {
    ...widgets(),
    watch: async function* (query, options) {
      if (watches++ === 0) await gap.promise; // nothing is heard, then the place is too old
      yield* widgets().watch(watches === 1 ? { ...query, resourceVersion: '1' } : query, options);
    },
  };
  const { informer, changes, facts } = await follow('gap', { resource });
  await remove('gap-1');
  const third = await put('gap-3', 'gap');
  gap.resolve();
  expect(await informer.waitFor(seen(third))).toBe('Reached');
  expect(changes).toEqual(['Added gap-1', 'Added gap-2', 'Added gap-3', 'Deleted gap-1']);
  expect(facts).toContainEqual(expect.objectContaining({ type: 'WatchEnded', because: 'Expired' }));
  expect(facts).toContainEqual(expect.objectContaining({ type: 'Relisted', because: 'Gone' }));
});

test('a list of several pages is complete, also when its last page deletes', async () => {
  for (let i = 0; i < 7; i++) await put(`page-${i}`, 'page');
  const { informer, facts } = await follow('page', { pageSize: 3 });
  expect(informer.cache.size()).toBe(7);
  expect(facts).toContainEqual(expect.objectContaining({ type: 'Relisted', because: 'Start', items: 7 }));
});

test('a change of the definition ends every watch, and nothing is missed', { timeout: 60_000 }, async () => {
  const { informer, changes, facts } = await follow('crd');
  await put('before', 'crd');
  await changeWidgets(scene.client, type);
  await remove('before');
  const after = await put('after', 'crd');
  expect(await informer.waitFor(seen(after), { deadlineMs: 40_000 })).toBe('Reached');
  expect([...informer.cache.keys()]).toEqual([`${scene.namespace}/after`]);
  expect(changes).toEqual(expect.arrayContaining(['Added after']));
  await expect.poll(() => facts.some((fact) => fact.type === 'WatchEnded'), { timeout: 10_000 }).toBe(true);
});

test('a connection that falls silent is noticed, and what was missed comes', {
  timeout: 30_000,
}, async () => {
  const proxy = await startProxy(inject('kubeconfig'));
  const client = createKubeClient({ kubeconfig: proxy.kubeconfig });
  ending.push(client.close, proxy.close);
  const { informer, facts } = await follow('silent', {
    resource: client.resource<Widget>(type),
    stallMs: 1500,
  });
  await informer.waitFor(seen(await put('heard', 'silent')));
  proxy.freeze();
  const missed = await put('missed', 'silent');
  const isNoticed = () => facts.some((fact) => fact.type === 'WatchEnded' && fact.because === 'Stalled');
  await expect.poll(isNoticed, { timeout: 10_000 }).toBe(true);
  expect(informer.cache.size()).toBe(1);
  proxy.thaw();
  expect(await informer.waitFor(seen(missed))).toBe('Reached');
  expect(facts.filter((fact) => fact.type === 'Relisted')).toHaveLength(1);
});

test('a watch that is cut after each event misses none and repeats none', async () => {
  const resource: ResourceClient<Widget> = {
    ...widgets(),
    watch: async function* (query, options) {
      for await (const event of widgets().watch(query, options)) {
        yield event;
        return; // as if the connection ended cleanly after one event
      }
    },
  };
  const informer = createInformer<Widget>({
    resource,
    namespace: scene.namespace,
    labelSelector: 'of=cut',
    backoff: { firstMs: 1, maxMs: 5, factor: 2, jitter: 0 },
  });
  const sizes: number[] = [];
  informer.onChange(({ object }) => sizes.push(object.spec?.size ?? 0));
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.synced(stop.signal);
  let widget = await put('cut', 'cut', 0);
  for (let size = 1; size < 20; size++) widget = await widgets().update({ ...widget, spec: { size } });
  expect(await informer.waitFor(seen(widget))).toBe('Reached');
  stop.abort();
  await running;
  expect(sizes).toEqual(Array.from({ length: 20 }, (_, size) => size));
});
