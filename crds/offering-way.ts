/**
 * Where an offering may be built, and with what: as the terms of a contract say it, read from the offering itself, so
 * that operator, facade and shop window ask for the same regions and types.
 */
import type { RoutingTerms } from './contract/eligibility.ts';
import type { Offering } from './offering.ts';
import { regionOfCountry } from './regions.ts';

/** Undefined when its country is in no region. */
export function wayOf({
  country,
  poolName,
  regions,
  provisionerType,
  provisionerTypes,
}: Offering['spec']): RoutingTerms | undefined {
  const region = regionOfCountry(country);
  return region && { poolName, region, regions, provisionerType, provisionerTypes };
}
