/**
 * Fallback pools: which of those that a pool names are asked, and when. `routes.ts` asks for one contract, the operator
 * for the pool itself, so that its provider reads what comes of each line that was written.
 */
import type { AgentPool } from '../agent-pool.ts';
import { poolServes, regionsOf } from '../contract/eligibility.ts';
import type { Offering } from '../offering.ts';
import { wayOf } from '../offering-way.ts';
import type { Region } from '../regions.ts';
import { type Circles, circlesOf, type PoolsByName } from './circles.ts';

/**
 * Whether a pool that could build it by itself waits all the same, since `from` names it as a fallback. Not when its
 * priority is higher, nor when it is equal and each leads to the other, be it through others: of such a circle all
 * would wait for each other. So one of those that serve is always asked at once.
 */
export function isHeldBack(
  to: AgentPool,
  { from, circles }: Readonly<{ from: AgentPool; circles: Circles }>,
): boolean {
  const [own, others] = [to.spec.priority, from.spec.priority];
  return own === others ? !circles.areInOne(to, from) : own < others;
}

/** Never in a region that the tenant was not sold; `from` itself may stand elsewhere where the offering names it. */
export const isSoldThere = (to: AgentPool, { from, regions }: Sold): boolean =>
  to.spec.location === from.spec.location || regions.includes(to.spec.location);
type Sold = Readonly<{ from: AgentPool; regions: readonly Region[] }>;

export type FallbackVerdict = Readonly<{
  name: string;
  asked: 'Later' | 'AtOnce' | 'Never';
  /** As in `b is asked after 120 s`, `c is never asked: there is no such pool`. */
  message: string;
}>;

type Around = Readonly<{ pools: PoolsByName; offerings: readonly Offering[] }>;

/** What comes of each fallback of `from`, in its order. `offerings` are those of its namespace. */
export function judgeFallbacks(from: AgentPool, { pools, offerings }: Around): FallbackVerdict[] {
  const circles = circlesOf(pools);
  const built = offerings
    .map(({ spec }) => wayOf(spec))
    .filter((way) => way !== undefined)
    .filter((way) => poolServes(way, from));
  return (from.spec.fallbackPools ?? []).map(({ name, afterSeconds }) => {
    const never = (why: string): FallbackVerdict => ({
      name,
      asked: 'Never',
      message: `${name} is never asked: ${why}`,
    });
    const to = pools.get(name);
    if (!to) return never('there is no such pool');
    if (name === from.metadata.name) return never('it is this pool itself');
    if (to.metadata.deletionTimestamp) return never('it is being deleted');
    const { location, priority } = to.spec;
    const isSold = [[], ...built.map(regionsOf)].some((regions) => isSoldThere(to, { from, regions }));
    if (!isSold) return never(`it is in ${location}, and nothing that is built here is sold there`);
    const after = `after ${afterSeconds} s`;
    if (isHeldBack(to, { from, circles }) || !built.some((way) => poolServes(way, to)))
      return { name, asked: 'Later', message: `${name} is asked ${after}` };
    const why =
      priority > from.spec.priority
        ? `its priority ${priority} is higher than ${from.spec.priority} here`
        : 'the two name each other and have the same priority';
    return {
      name,
      asked: 'AtOnce',
      message: `${name} is asked at once where it may build the same by itself, since ${why}; else ${after}`,
    };
  });
}
