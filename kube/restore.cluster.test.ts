/**
 * An API server of its own that is stopped, started again, and started on an older copy of etcd's data: what the
 * reflector believes about all this is true of a real one.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from '../test/world/world.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import { createInformer } from './informer.ts';
import type { Observation } from './observation.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';

let world: World;
let client: KubeClient;
const NAMESPACE = 'default';
/** More than a new API server writes by itself: the restored world must not overtake the one that was seen. */
const YOUNGER = 300;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await client?.close();
  await world.close();
});

test('a restarted API server is nothing new; one on an older etcd is told of, and its state is taken over', {
  timeout: 180_000,
}, async () => {
  const first = await world.startControlPlane({ withCrds: false });
  client = createKubeClient({ kubeconfig: { file: first.kubeconfig } });
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  const put = (name: string, data = {}) =>
    maps.create({ metadata: { namespace: NAMESPACE, name, labels: { of: 'restore' } }, data });
  const facts: Observation[] = [];
  const told: string[] = [];
  const informer = createInformer<ConfigMap>({
    resource: maps,
    namespace: NAMESPACE,
    labelSelector: 'of=restore',
    backoff: { firstMs: 100, maxMs: 500, factor: 2, jitter: 0 },
    observe: (fact) => facts.push(fact),
  });
  informer.onChange((change) => {
    const { type, object } = change;
    const how = type === 'Deleted' && change.isWatched ? ', as the server said' : '';
    if (!object.metadata.name.startsWith('filler')) told.push(`${type} ${object.metadata.name}${how}`);
  });
  informer.onWentBack(() => told.push('went back'));
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.synced(stop.signal);
  const kept = await put('kept', { world: 'first' });
  await informer.waitFor({ resourceVersion: kept.metadata.resourceVersion ?? '' });
  await first.stop();
  const data = join(world.folder, 'control-plane', 'etcd');
  const copy = join(world.folder, 'backup');
  cpSync(data, copy, { recursive: true });

  const second = await world.startControlPlane({ withCrds: false });
  const younger = await put('younger');
  const seen = { resourceVersion: younger.metadata.resourceVersion ?? '' };
  expect(await informer.waitFor(seen, { deadlineMs: 30_000 })).toBe('Reached');
  expect(facts.some(({ type }) => type === 'WentBack')).toBe(false);
  await maps.update({ ...kept, data: { world: 'second' } });
  for (let n = 0; n < YOUNGER; n += 20)
    await Promise.all(Array.from({ length: 20 }, (_, i) => put(`filler-${n + i}`)));
  const last = await put('last');
  await informer.waitFor({ resourceVersion: last.metadata.resourceVersion ?? '' });
  await second.stop();
  rmSync(data, { recursive: true });
  cpSync(copy, data, { recursive: true });
  const neverAgain = informer.waitFor({ resourceVersion: '999999999' }, { deadlineMs: 120_000 });

  await world.startControlPlane({ withCrds: false });
  expect(await neverAgain).toBe('WentBack');
  const after = await put('after');
  await informer.waitFor({ resourceVersion: after.metadata.resourceVersion ?? '' }, { deadlineMs: 30_000 });
  expect([...informer.cache.keys()].sort()).toEqual([`${NAMESPACE}/after`, `${NAMESPACE}/kept`]);
  expect(informer.cache.get(`${NAMESPACE}/kept`)?.data).toEqual({ world: 'first' });
  const wanted = ['Added kept', 'Added younger', 'Updated kept', 'Added last', 'went back', 'Updated kept'];
  expect(told.slice(0, wanted.length)).toEqual(wanted);
  expect(told.slice(wanted.length).sort()).toEqual(['Added after', 'Deleted last', 'Deleted younger']);
  stop.abort();
  await running;
});
