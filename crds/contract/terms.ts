/** The terms of an offering as a contract keeps them: what was rented never changes afterwards. */
import { problemOfSchema } from '../instance-config/check.ts';
import type { Offering } from '../offering.ts';
import type { Provider } from '../provider.ts';
import type { Recipe } from '../recipe.ts';
import { regionOfCountry } from '../regions.ts';
import type { TermsSnapshot } from './spec.ts';

type Sellers = Readonly<{ provider: Provider | undefined; recipe?: Recipe | undefined }>;

/**
 * Undefined while the provider, or the recipe that the offering names, is not there, so that what is rented does not
 * depend on what was applied first; while its schema cannot be used; and when the country is in no region, which the
 * API server's rules do not let happen.
 */
export function snapshotTerms(offering: Offering, { provider, recipe }: Sellers): TermsSnapshot | undefined {
  const { spec, metadata } = offering;
  const region = regionOfCountry(spec.country);
  if (!region || !provider || (spec.recipe && !recipe)) return undefined;
  const { instanceConfigSchema } = spec;
  if (instanceConfigSchema && problemOfSchema(instanceConfigSchema) !== undefined) return undefined;
  return {
    offeringUID: metadata.uid ?? '',
    title: spec.title,
    country: spec.country,
    region,
    provisionerType: spec.provisionerType,
    ...(spec.provisionerConfig ? { provisionerConfig: spec.provisionerConfig } : {}),
    ...(instanceConfigSchema ? { instanceConfigSchema } : {}),
    ...(spec.poolName ? { poolName: spec.poolName } : {}),
    ...(spec.regions?.length ? { regions: spec.regions } : {}),
    ...(spec.provisionerTypes?.length ? { provisionerTypes: spec.provisionerTypes } : {}),
    ...(spec.requirements ? { requirements: spec.requirements } : {}),
    resources: spec.resources,
    price: spec.price,
    ...(recipe ? { recipe: { name: recipe.metadata.name, revision: recipe.spec.revision } } : {}),
    allowRecreation: spec.allowRecreation,
    maxHours: longestOf(offering, provider),
    ...(spec.expiry ? { expiry: spec.expiry } : {}),
    ...(spec.extension ? { extension: spec.extension } : {}),
  };
}

/** No rental comes to more hours, however often it is extended or renewed: the offering says so, and its provider. */
export const longestOf = ({ spec: { duration } }: Offering, { spec: { acceptance } }: Provider): number =>
  Math.min(duration.maxHours, acceptance.maxDurationHours ?? duration.maxHours);

/** Nobody rents it for fewer hours. */
export const shortestOf = ({ spec: { duration } }: Offering, { spec: { acceptance } }: Provider): number =>
  Math.max(duration.minHours, acceptance.minDurationHours ?? duration.minHours);
