/** What is to be said of an offering: where it routes to, and can it be rented. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import { withCondition } from '../../crds/condition.ts';
import { poolServes, type RoutingTerms, regionsOf, typesOf } from '../../crds/contract/eligibility.ts';
import { tellUses, type Uses, withTerminating } from '../../crds/in-use.ts';
import { problemOfSchema } from '../../crds/instance-config/check.ts';
import type { Offering } from '../../crds/offering.ts';
import { wayOf } from '../../crds/offering-way.ts';
import { COUNTRY_HINT, REGION_NAMES } from '../../crds/regions.ts';

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
  const way = wayOf(spec);
  const serving = way === undefined ? [] : servingPools(pools, way);
  const terminating = uses && withTerminating(status.conditions, { kind: 'Offering', uses, now });
  return {
    ...status,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(way === undefined ? {} : { region: way.region }),
    pools: serving.map((pool) => pool.metadata.name),
    activeContracts,
    conditions: withCondition(terminating ?? status.conditions, {
      next: {
        type: 'Ready',
        ...(uses ? isGoing(uses) : readiness(offering, { serving, way, hasRecipe })),
      },
      now,
    }),
  };
}

type Resolution = Readonly<{
  hasRecipe: boolean;
  serving: readonly AgentPool[];
  way: RoutingTerms | undefined;
}>;

/** Highest priority first, then the better region and type, then by name, so that the list is stable. */
function servingPools(pools: readonly AgentPool[], way: RoutingTerms): AgentPool[] {
  const [regions, types] = [regionsOf(way), typesOf(way)];
  return pools
    .filter((pool) => poolServes(way, pool))
    .sort(
      (a, b) =>
        b.spec.priority - a.spec.priority ||
        regions.indexOf(a.spec.location) - regions.indexOf(b.spec.location) ||
        types.indexOf(a.spec.provisionerType) - types.indexOf(b.spec.provisionerType) ||
        a.metadata.name.localeCompare(b.metadata.name),
    );
}

const isGoing = (uses: Uses) =>
  ({
    status: 'False',
    reason: 'Terminating',
    message: `It was deleted: it cannot be rented any more, and waits for ${tellUses(uses)}`,
  }) as const;

function readiness(
  { spec }: Offering,
  { serving, way, hasRecipe }: Resolution,
): Readonly<{ status: 'True' | 'False'; reason: string; message: string }> {
  if (way === undefined) return { status: 'False', reason: 'UnknownCountry', message: COUNTRY_HINT };
  const { instanceConfigSchema } = spec;
  const problem = instanceConfigSchema && problemOfSchema(instanceConfigSchema);
  if (problem !== undefined)
    return { status: 'False', reason: 'ConfigSchemaInvalid', message: `instanceConfigSchema ${problem}` };
  const types = typesOf(way).join(' or ');
  if (spec.poolName && serving.length === 0)
    return {
      status: 'False',
      reason: 'PoolNotFound',
      message: `There is no pool ${spec.poolName} of type ${types} in this namespace`,
    };
  if (serving.length === 0)
    return {
      status: 'False',
      reason: 'NoPool',
      message: `${placeOf(spec, regionsOf(way))}; no pool there is of type ${types}`,
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

/** `DE is in Europe`, and where else it may be built. */
const placeOf = (
  { country }: Offering['spec'],
  [own, ...further]: readonly RoutingTerms['region'][],
): string =>
  [
    `${country} is in ${own ? REGION_NAMES[own] : 'no region'}`,
    ...(further.length > 0
      ? [`it may be built in ${further.map((region) => REGION_NAMES[region]).join(' or ')} as well`]
      : []),
  ].join(', ');
