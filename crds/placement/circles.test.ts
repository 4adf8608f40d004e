import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aPool } from '../contract/builders.ts';
import { circlesOf } from './circles.ts';

test('two are in one circle exactly when each leads to the other', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const lines = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names, 'gone')), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(lines, fc.constantFrom(...names), (some, other) => {
      const priorityOf = (name: string): number => (name === other ? 1 : 0);
      const namedBy = (name: string): string[] => some.filter(([from]) => from === name).map(([, to]) => to);
      const poolOf = (name: string) =>
        aPool(name, {
          priority: priorityOf(name),
          fallbackPools: [...new Set(namedBy(name))].map((to) => ({ name: to, afterSeconds: 0 })),
        });
      const pools = new Map(names.map((name) => [name, poolOf(name)]));
      const leads = (from: string, to: string, seen: readonly string[] = []): boolean =>
        from === to ||
        namedBy(from).some(
          (name) =>
            !seen.includes(name) && priorityOf(name) === priorityOf(from) && leads(name, to, [...seen, from]),
        );
      const circles = circlesOf(pools);
      for (const a of pools.values())
        for (const b of pools.values()) {
          const [from, to] = [a.metadata.name, b.metadata.name];
          expect(circles.areInOne(a, b), `${from} ${to}`).toBe(leads(from, to) && leads(to, from));
        }
    }),
    { numRuns: 200 },
  );
});

test('a row of many thousand pools is no trouble', () => {
  const pools = Array.from({ length: 20_000 }, (_, n) =>
    aPool(`p-${n}`, { fallbackPools: [{ name: `p-${n + 1}`, afterSeconds: 0 }] }),
  );
  const circles = circlesOf(new Map(pools.map((pool) => [pool.metadata.name, pool])));
  const [first, second] = pools;
  expect(first && second && circles.areInOne(first, second)).toBe(false);
});
