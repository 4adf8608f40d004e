import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlreadyExists, isConflict, isInvalid } from './error.ts';
import { openScene, type Scene } from './testing/cluster.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';
import { readDecideWrite } from './write.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const maps = () => scene.client.resource<ConfigMap>(CONFIG_MAPS);
const create = (name: string, data = {}) =>
  maps().create({ metadata: { namespace: scene.namespace, name }, data });
const errorOf = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    return await call;
  } catch (error) {
    return error;
  }
};

test('an object is created, read, changed by each kind of write, and deleted', async () => {
  const ref = { namespace: scene.namespace, name: 'life' };
  const created = await create('life', { a: '1' });
  expect(created.metadata.uid).toMatch(/-/);
  expect(await maps().get(ref)).toEqual(created);
  const updated = await maps().update({ ...created, data: { a: '2' } });
  await maps().patch(ref, { type: 'Merge', body: { data: { b: '3' } } });
  await maps().patch(ref, { type: 'Json', body: [{ op: 'add', path: '/data/c', value: '4' }] });
  const body = { metadata: { name: 'life' }, data: { d: '5' } };
  const applied = await maps().patch(ref, { type: 'Apply', fieldManager: 'test', force: true, body });
  expect(applied.data).toEqual({ a: '2', b: '3', c: '4', d: '5' });
  expect(updated.metadata.uid).toBe(created.metadata.uid);
  expect(await maps().delete(ref)).toEqual({ outcome: 'Deleted', uid: created.metadata.uid });
  expect(await maps().get(ref)).toBeUndefined();
  expect(await maps().delete(ref)).toEqual({ outcome: 'Absent' });
});

test('refusals are named by what they are', async () => {
  const first = await create('refused');
  await maps().update({ ...first, data: { by: 'somebody' } });
  expect(isConflict(await errorOf(maps().update({ ...first, data: { by: 'me' } })))).toBe(true);
  expect(isAlreadyExists(await errorOf(create('refused')))).toBe(true);
  const invalid = await errorOf(create('Not A Name'));
  expect(isInvalid(invalid)).toBe(true);
  expect(invalid).toMatchObject({ causes: [expect.objectContaining({ field: 'metadata.name' })] });
  const ref = { namespace: scene.namespace, name: 'refused' };
  expect(isConflict(await errorOf(maps().delete(ref, { uid: 'another' })))).toBe(true);
});

test('an object that a finalizer holds is Deleting', async () => {
  const metadata = { namespace: scene.namespace, name: 'held', finalizers: ['dcmarket.io/test'] };
  await maps().create({ metadata });
  const result = await maps().delete(metadata);
  expect(result).toMatchObject({ outcome: 'Deleting' });
  const released = await readDecideWrite({
    resource: maps(),
    ref: metadata,
    part: 'Spec',
    decide: (current) => ({ ...current, metadata: { ...current.metadata, finalizers: [] } }),
  });
  expect(released.outcome).toBe('Written');
  expect(await maps().get(metadata)).toBeUndefined();
});

test('lists come in pages, by label, and with the kind that built-in lists leave out', async () => {
  const labels = { of: 'pages' };
  for (const name of ['p1', 'p2', 'p3'])
    await maps().create({ metadata: { namespace: scene.namespace, name, labels } });
  const query = { namespace: scene.namespace, labelSelector: 'of=pages', limit: 2 };
  const first = await maps().list(query);
  const second = await maps().list({ ...query, continue: first.continue });
  expect([...first.items, ...second.items].map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ConfigMap p1',
    'ConfigMap p2',
    'ConfigMap p3',
  ]);
  expect(second.continue).toBeUndefined();
});

test('twenty writers that decide again after each conflict all get their word in', async () => {
  await create('counter', { count: '0' });
  const increment = () =>
    readDecideWrite({
      resource: maps(),
      ref: { namespace: scene.namespace, name: 'counter' },
      part: 'Spec',
      decide: (current) => ({ ...current, data: { count: String(Number(current.data?.['count']) + 1) } }),
    });
  const writers = 5; // within the attempts of one writer, whoever loses every race
  for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: writers }, increment));
  const counter = await maps().get({ namespace: scene.namespace, name: 'counter' });
  expect(counter?.data).toEqual({ count: '20' });
});

test('the skew of an API server on this machine is nothing', async () => {
  for (let i = 0; i < 20; i++) {
    await scene.client.raw({ method: 'GET', path: '/version' });
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const skew = scene.client.clockSkew();
  expect(Math.abs(skew?.offsetMs ?? Number.NaN)).toBeLessThanOrEqual((skew?.uncertaintyMs ?? 0) + 50);
  expect(skew?.uncertaintyMs).toBeLessThan(300);
});
