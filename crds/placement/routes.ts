/**
 * Which pools a contract may go to. The explicit pool, else those of a region and a type that the terms allow.
 * Their fallback pools join after a delay; a fallback may be of another type, since the provider named it, but
 * never in a region that the tenant was not sold. A pool that serves by itself is held back by a delay when one of
 * higher priority names it, or of equal priority that it does not name in turn (`fallbacks.ts`).
 */
import { circlesOf } from './circles.ts';
import type { Demand } from './demand.ts';
import { isHeldBack, isSoldThere } from './fallbacks.ts';
import type { Because } from './reasons.ts';
import type { PreparedPool } from './supply.ts';

export type Route = Readonly<{
  pool: PreparedPool;
  /** 0 for pools that serve, 1 and on for their fallbacks in order. */
  tier: number;
  /** Place of its region and type among those that the terms allow; 0 is the best. */
  preference: number;
  /** Of a fallback: since when, or from when on, it may be used. */
  opens: Readonly<{ atMs: number; afterSeconds: number }> | undefined;
}>;

export type Refused = Readonly<{ pool: PreparedPool; because: Because }>;

export function routesOf(
  demand: Demand,
  pools: readonly PreparedPool[],
): Readonly<{ routes: readonly Route[]; refused: readonly Refused[] }> {
  const mismatch = new Map(pools.map((pool) => [pool, mismatchOf(demand, pool)]));
  const serving = new Set(pools.filter((pool) => mismatch.get(pool) === undefined));
  const delays = delaysOf(demand, { pools, serving });
  const routes: Route[] = [];
  const refused: Refused[] = [];
  for (const pool of pools) {
    const delay = delays.get(pool.pool.metadata.name);
    const because = mismatch.get(pool);
    if (because && !delay) refused.push({ pool, because });
    else
      routes.push({
        pool,
        tier: delay?.tier ?? 0,
        preference: preferenceOf(demand, pool),
        opens: delay && { atMs: demand.wantedSinceMs + delay.seconds * 1000, afterSeconds: delay.seconds },
      });
  }
  return { routes, refused };
}

function mismatchOf({ poolName, regions, types }: Demand, { pool }: PreparedPool): Because | undefined {
  const { location, provisionerType } = pool.spec;
  if (poolName !== undefined && pool.metadata.name !== poolName)
    return { reason: 'NotTheChosenPool', chosen: poolName };
  if (poolName === undefined && !regions.includes(location))
    return { reason: 'WrongRegion', region: location, wanted: regions };
  if (!types.includes(provisionerType)) return { reason: 'WrongType', type: provisionerType, wanted: types };
  return undefined;
}

type Delay = Readonly<{ seconds: number; order: number }>;
type Pools = Readonly<{ pools: readonly PreparedPool[]; serving: ReadonlySet<PreparedPool> }>;

/** By name of the fallback pool. Of several pools that name it the shortest delay counts. */
function delaysOf(
  { regions }: Demand,
  { pools, serving }: Pools,
): ReadonlyMap<string, Delay & Readonly<{ tier: number }>> {
  const prepared = new Map(pools.map((pool) => [pool.pool.metadata.name, pool]));
  const circles = circlesOf(new Map(pools.map(({ pool }) => [pool.metadata.name, pool])));
  const delays = new Map<string, Delay>();
  for (const { pool: from } of serving)
    for (const [order, { name, afterSeconds }] of (from.spec.fallbackPools ?? []).entries()) {
      const to = prepared.get(name);
      if (!to || name === from.metadata.name || !isSoldThere(to.pool, { from, regions })) continue;
      if (serving.has(to) && !isHeldBack(to.pool, { from, circles })) continue;
      const known = delays.get(name);
      if (!known || afterSeconds < known.seconds) delays.set(name, { seconds: afterSeconds, order });
    }
  const inOrder = [...delays].sort(
    ([, a], [, b]) => a.order - b.order || a.seconds - b.seconds, // equal ones share what follows
  );
  return new Map(inOrder.map(([name, delay], at) => [name, { ...delay, tier: at + 1 }]));
}

/** Region before type; what is not among them comes last. */
function preferenceOf({ regions, types }: Demand, { pool }: PreparedPool): number {
  const place = (list: readonly string[], value: string): number => {
    const at = list.indexOf(value);
    return at < 0 ? list.length : at;
  };
  return place(regions, pool.spec.location) * (types.length + 1) + place(types, pool.spec.provisionerType);
}
