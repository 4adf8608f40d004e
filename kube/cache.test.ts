import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCache } from './cache.ts';
import { aConfigMap, type ConfigMap } from './testing/config-map.ts';

const byLabel = (object: ConfigMap): readonly string[] => Object.values(object.metadata.labels ?? {});
const fresh = () =>
  createCache<ConfigMap>({ label: byLabel }, (error) => {
    throw error;
  });

const anObject = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  label: fc.constantFrom('x', 'y', 'z', undefined),
  isRemoved: fc.boolean(),
});

test('a cache and its indexes always say what a plain Map and a walk over it say', () =>
  fc.assert(
    fc.property(fc.array(anObject), (steps) => {
      const cache = fresh();
      const naive = new Map<string, ConfigMap>();
      steps.forEach(({ name, label, isRemoved }, index) => {
        const key = `home/${name}`;
        const object = aConfigMap({ name, resourceVersion: String(index), labels: label ? { label } : {} });
        expect(isRemoved ? cache.remove(key) : cache.put(object)).toBe(naive.get(key));
        if (isRemoved) naive.delete(key);
        else naive.set(key, object);
        expect(cache.size()).toBe(naive.size);
        expect(cache.get(key)).toBe(naive.get(key));
        expect([...cache.keys()].sort()).toEqual([...naive.keys()].sort());
        expect(new Set(cache.list())).toEqual(new Set(naive.values()));
        for (const value of ['x', 'y', 'z']) {
          const walked = [...naive.values()].filter((each) => byLabel(each).includes(value));
          expect(new Set(cache.getByIndex('label', value))).toEqual(new Set(walked));
          expect(cache.countOf('label', value)).toBe(walked.length);
          expect(cache.countByIndex('label').get(value)).toBe(walked.length || undefined);
        }
      });
    }),
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
