/** What is to be said of an offering: where it routes to, and can it be rented. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import { withCondition } from '../../crds/condition.ts';
import { poolServes } from '../../crds/contract/eligibility.ts';
import { tellUses, type Uses, withTerminating } from '../../crds/in-use.ts';
import { problemOfSchema } from '../../crds/instance-config/check.ts';
import type { Offering } from '../../crds/offering.ts';
import { COUNTRY_HINT, REGION_NAMES, regionOfCountry } from '../../crds/regions.ts';

export type OfferingFacts = Readonly<{
  offering: Offering;
  /** Pools of the offering's namespace. */
  pools: readonly AgentPool[];
  /** Whether the recipe that it names is there; true when it names none. */
  hasRecipe: boolean;
  activeContracts: number;
  /** Who still uses it; given once it was deleted. */
  uses?: Uses | undefined;
  now: Date;
}>;

export function decideOffering({
  offering,
  pools,
  hasRecipe,
  activeContracts,
  uses,
  now,
}: OfferingFacts): NonNullable<Offering['status']> {
  const { spec, metadata } = offering;
  const status = offering.status ?? {};
  const region = regionOfCountry(spec.country);
  const serving = region === undefined ? [] : servingPools(offering, { pools, region });
  const terminating = uses && withTerminating(status.conditions, { kind: 'Offering', uses, now });
  return {
    ...status,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(region === undefined ? {} : { region }),
    pools: serving.map((pool) => pool.metadata.name),
    activeContracts,
    conditions: withCondition(terminating ?? status.conditions, {
      next: {
        type: 'Ready',
        ...(uses ? isGoing(uses) : readiness(offering, { serving, region, hasRecipe })),
      },
      now,
    }),
  };
}

type Resolution = Readonly<{
  hasRecipe: boolean;
  serving: readonly AgentPool[];
  region: ReturnType<typeof regionOfCountry>;
}>;

/** Highest priority first, then by name, so that the list is stable. */
function servingPools(
  { spec }: Offering,
  { pools, region }: Readonly<{ pools: readonly AgentPool[]; region: NonNullable<Resolution['region']> }>,
): AgentPool[] {
  const terms = { poolName: spec.poolName, region, provisionerType: spec.provisionerType };
  return pools
    .filter((pool) => poolServes(terms, pool))
    .sort((a, b) => b.spec.priority - a.spec.priority || a.metadata.name.localeCompare(b.metadata.name));
}

const isGoing = (uses: Uses) =>
  ({
    status: 'False',
    reason: 'Terminating',
    message: `It was deleted: it cannot be rented any more, and waits for ${tellUses(uses)}`,
  }) as const;

function readiness(
  { spec }: Offering,
  { serving, region, hasRecipe }: Resolution,
): Readonly<{ status: 'True' | 'False'; reason: string; message: string }> {
  if (region === undefined) return { status: 'False', reason: 'UnknownCountry', message: COUNTRY_HINT };
  const { instanceConfigSchema } = spec;
  const problem = instanceConfigSchema && problemOfSchema(instanceConfigSchema);
  if (problem !== undefined)
    return { status: 'False', reason: 'ConfigSchemaInvalid', message: `instanceConfigSchema ${problem}` };
  if (spec.poolName && serving.length === 0)
    return {
      status: 'False',
      reason: 'PoolNotFound',
      message: `There is no pool ${spec.poolName} of type ${spec.provisionerType} in this namespace`,
    };
  if (serving.length === 0)
    return {
      status: 'False',
      reason: 'NoPool',
      message: `${spec.country} is in ${REGION_NAMES[region]}; no pool there is of type ${spec.provisionerType}`,
    };
  if (!hasRecipe)
    return {
      status: 'False',
      reason: 'RecipeNotFound',
      message: `There is no recipe ${spec.recipe?.name ?? ''} in this namespace`,
    };
  const names = serving.map((pool) => pool.metadata.name).join(', ');
  return { status: 'True', reason: 'PoolResolved', message: `Built by ${names}` };
}
