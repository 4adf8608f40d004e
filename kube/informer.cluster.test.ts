import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInformer } from './informer.ts';
import type { ResourceClient } from './resource.ts';
import { openScene, type Scene } from './testing/cluster.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';
import { readYourWrites } from './write.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const maps = () => scene.client.resource<ConfigMap>(CONFIG_MAPS);
const ref = (name: string) => ({ namespace: scene.namespace, name });
const key = (name: string) => `${scene.namespace}/${name}`;

test('the cache follows creates, updates and deletes, and hands out no managedFields', async () => {
  const informer = await scene.inform({ labelSelector: 'of=follow' });
  const changes: string[] = [];
  informer.onChange(({ type, object, old }) => {
    changes.push(`${type} ${object.data?.['v'] ?? '-'} was ${old?.data?.['v'] ?? '-'}`);
  });
  const metadata = { ...ref('follow'), labels: { of: 'follow' } };
  const created = await maps().create({ metadata, data: { v: '1' } });
  const updated = await maps().update({ ...created, data: { v: '2' } });
  await informer.waitFor({ resourceVersion: updated.metadata.resourceVersion ?? '' });
  expect(informer.cache.get(key('follow'))?.data).toEqual({ v: '2' });
  expect(informer.cache.get(key('follow'))?.metadata).not.toHaveProperty('managedFields');
  await maps().delete(ref('follow'));
  const gone = { uidGone: created.metadata.uid ?? '', key: key('follow') };
  expect(await informer.waitFor(gone)).toBe('Reached');
  expect(changes).toEqual(['Added 1 was -', 'Updated 2 was 1', 'Deleted 2 was -']);
});

test('an object that leaves the selection leaves the cache', async () => {
  const informer = await scene.inform({ labelSelector: 'of=leave' });
  const labels = { of: 'leave' };
  const created = await maps().create({ metadata: { ...ref('leave'), labels } });
  await informer.waitFor({ resourceVersion: created.metadata.resourceVersion ?? '' });
  expect(informer.cache.size()).toBe(1);
  const moved = await maps().update({ ...created, metadata: { ...created.metadata, labels: { of: 'x' } } });
  expect(await informer.waitFor({ resourceVersion: moved.metadata.resourceVersion ?? '' })).toBe('Reached');
  expect(informer.cache.size()).toBe(0);
});

test('a writer reads its own writes, the end of an object included', async () => {
  // A watch that lags shows who does not wait.
  const lagging: ResourceClient<ConfigMap> = {
    ...maps(),
    watch: async function* (query, options) {
      for await (const event of maps().watch(query, options)) {
        await delay(20);
        yield event;
      }
    },
  };
  const informer = await scene.inform({ resource: lagging });
  const own = readYourWrites(maps(), informer);
  const deletions: unknown[] = [];
  informer.onChange(
    (change) => change.type === 'Deleted' && deletions.push([change.object.metadata.name, change.isWatched]),
  );
  const metadata = { ...ref('own'), finalizers: ['dcmarket.io/test'] };
  const created = await own.create({ metadata, data: { n: '0' } });
  expect(informer.cache.get(key('own'))?.metadata.uid).toBe(created.metadata.uid);
  for (let n = 1; n <= 30; n++) {
    const cached = informer.cache.get(key('own'));
    await own.update({ ...(cached ?? created), data: { n: String(n) } }); // a stale cache would be a 409
    expect(informer.cache.get(key('own'))?.data).toEqual({ n: String(n) });
  }
  expect(await own.delete(ref('own'))).toMatchObject({ outcome: 'Deleting' });
  const deleting = informer.cache.get(key('own'));
  expect(deleting?.metadata.deletionTimestamp).toBeDefined();
  if (!deleting) return;
  await own.update({ ...deleting, metadata: { ...deleting.metadata, finalizers: [] } });
  expect(informer.cache.get(key('own'))).toBeUndefined();
  await own.create({ metadata: ref('plain') });
  expect(await own.delete(ref('plain'))).toMatchObject({ outcome: 'Deleted' }); // answers no resourceVersion at all
  expect(informer.cache.get(key('plain'))).toBeUndefined();
  expect(deletions).toEqual([
    ['own', true],
    ['plain', true],
  ]);
});

test('waiting has a deadline', async () => {
  const informer = await scene.inform();
  const never = { resourceVersion: '999999999999' };
  expect(await informer.waitFor(never, { deadlineMs: 50 })).toBe('DeadlineExceeded');
});

test('an index by label answers which objects have it', async () => {
  const indexers = { colour: ({ metadata }: ConfigMap) => [metadata.labels?.['colour'] ?? 'none'] };
  const informer = await scene.inform({ indexers });
  const created = await maps().create({ metadata: { ...ref('red'), labels: { colour: 'red' } } });
  await informer.waitFor({ resourceVersion: created.metadata.resourceVersion ?? '' });
  expect(informer.cache.getByIndex('colour', 'red').map((object) => object.metadata.name)).toEqual(['red']);
  expect(informer.cache.countByIndex('colour').get('red')).toBe(1);
});

test('bookmarks move a quiet watch forward', { timeout: 30_000 }, async () => {
  // The API server sends one 2 s before the end of a watch, if anything happened elsewhere since its beginning.
  const { resourceVersion } = await maps().list({ namespace: scene.namespace });
  const query = { namespace: scene.namespace, resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 6 };
  const elsewhere = delay(500).then(() =>
    maps().create({ metadata: { namespace: 'default', generateName: 'elsewhere-' } }),
  );
  const seen: string[] = [];
  for await (const event of maps().watch(query, { signal: scene.signal })) {
    seen.push(event.type === 'BOOKMARK' ? event.resourceVersion : event.type);
  }
  expect(BigInt(seen[0] ?? 0)).toBeGreaterThanOrEqual(
    BigInt((await elsewhere).metadata.resourceVersion ?? 0),
  );
});

test('a stop ends the watch at once and leaves nothing behind', async () => {
  const informer = createInformer<ConfigMap>({ resource: maps(), namespace: scene.namespace });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.synced(stop.signal);
  await delay(100); // the watch is open
  stop.abort();
  await expect(Promise.race([running, delay(1000, 'late')])).resolves.toBeUndefined();
});
