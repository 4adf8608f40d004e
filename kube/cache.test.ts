import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCache } from './cache.ts';
import { keyOf } from './object.ts';
import { aConfigMap, type ConfigMap } from './testing/config-map.ts';

const byLabel = (object: ConfigMap): readonly string[] => Object.values(object.metadata.labels ?? {});
const fresh = () =>
  createCache<ConfigMap>({ label: byLabel }, (error) => {
    throw error;
  });

test('an index always says what a walk over all objects says', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'y', 'z', undefined), fc.boolean()),
      ),
      (steps) => {
        const cache = fresh();
        for (const [name, label, isRemoved] of steps) {
          if (isRemoved) cache.remove(`home/${name}`);
          else cache.put(aConfigMap({ name, labels: label ? { label } : {} }));
        }
        for (const value of ['x', 'y', 'z']) {
          const walked = cache.list().filter((object) => byLabel(object).includes(value));
          const indexed = cache.getByIndex('label', value);
          expect(indexed.map(keyOf).sort()).toEqual(walked.map(keyOf).sort());
          expect(cache.countByIndex('label').get(value) ?? 0).toBe(walked.length);
        }
      },
    ),
  ));

test('nobody can change what the cache hands out', () => {
  const cache = fresh();
  cache.put(aConfigMap({ labels: { label: 'x' } }));
  const labels = cache.get('home/a')?.metadata.labels as Record<string, string>;
  expect(() => {
    labels['label'] = 'y';
  }).toThrow(TypeError);
});

test('an indexer that throws is reported, and the object stays readable by key', () => {
  const errors: unknown[] = [];
  const broken = () => {
    throw new Error('broken');
  };
  const cache = createCache<ConfigMap>({ broken }, (error) => errors.push(error));
  cache.put(aConfigMap());
  expect(cache.get('home/a')?.metadata.name).toBe('a');
  expect(errors).toHaveLength(1);
});

test('an index that does not exist is a programming error', () => {
  expect(() => fresh().getByIndex('nope', 'x')).toThrow('no indexer is called nope');
});
