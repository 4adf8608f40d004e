/** What becomes of the fallback pools that a pool names, as a condition: one that is never asked is told, with why. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { ConditionInput } from '../../crds/condition.ts';
import type { Offering } from '../../crds/offering.ts';
import { judgeFallbacks } from '../../crds/placement/fallbacks.ts';

/** All of its namespace. */
export type Neighbours = Readonly<{ pools: readonly AgentPool[]; offerings: readonly Offering[] }>;

/** Undefined where it names none. */
export function fallbackCondition(
  pool: AgentPool,
  { pools, offerings }: Neighbours,
): ConditionInput | undefined {
  const byName = new Map(pools.map((other) => [other.metadata.name, other]));
  const verdicts = judgeFallbacks(pool, { pools: byName, offerings });
  if (verdicts.length === 0) return undefined;
  const isNeverAsked = verdicts.some(({ asked }) => asked === 'Never');
  return {
    type: 'FallbacksUsable',
    status: isNeverAsked ? 'False' : 'True',
    reason: isNeverAsked ? 'NeverAsked' : 'Asked',
    message: verdicts.map(({ message }) => message).join('; '),
  };
}
