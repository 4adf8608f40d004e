/**
 * Pools of equal priority that lead to each other by their fallbacks, be it through others: none of them comes before
 * another. Found for all pools of a namespace at once, in time that grows with the lines that name pools (Kosaraju).
 */
import type { AgentPool } from '../agent-pool.ts';

/** Pools of one namespace by name. */
export type PoolsByName = ReadonlyMap<string, AgentPool>;

export type Circles = Readonly<{ areInOne: (a: AgentPool, b: AgentPool) => boolean }>;

/** Nothing is worked out before it is asked for: most pools have a priority of their own, or name nobody. */
export function circlesOf(pools: PoolsByName): Circles {
  let known: ReadonlyMap<string, string> | undefined;
  return {
    areInOne: (a, b) => {
      known ??= findCircles(pools);
      const circle = known.get(a.metadata.name);
      return circle !== undefined && circle === known.get(b.metadata.name);
    },
  };
}

/** By name of the pool the name of one of its circle; who is in none is alone in its own. */
function findCircles(pools: PoolsByName): ReadonlyMap<string, string> {
  const next = new Map<string, string[]>();
  const before = new Map<string, string[]>();
  for (const [name, { spec }] of pools) {
    const named = (spec.fallbackPools ?? [])
      .map((fallback) => fallback.name)
      .filter((other) => pools.get(other)?.spec.priority === spec.priority);
    next.set(name, named);
    for (const other of named) before.get(other)?.push(name) ?? before.set(other, [name]);
  }
  const seen = new Set<string>();
  const done = [...pools.keys()].flatMap((name) => walk(name, { seen, next }));
  const circles = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of done.reverse())
    for (const other of walk(name, { seen: taken, next: before })) circles.set(other, name);
  return circles;
}

type Way = Readonly<{ seen: Set<string>; next: ReadonlyMap<string, readonly string[]> }>;

/** What is reached from here and was not seen before, in the order in which it is left for good. No recursion. */
function walk(start: string, { seen, next }: Way): string[] {
  if (seen.has(start)) return [];
  const left: string[] = [];
  const path = [{ name: start, ahead: next.get(start)?.values() }];
  seen.add(start);
  for (let at = path.at(-1); at; at = path.at(-1)) {
    const step = at.ahead?.next();
    if (!step || step.done) {
      left.push(at.name);
      path.pop();
    } else if (!seen.has(step.value)) {
      seen.add(step.value);
      path.push({ name: step.value, ahead: next.get(step.value)?.values() });
    }
  }
  return left;
}
