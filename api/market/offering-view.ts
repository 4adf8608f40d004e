/** Offerings as everybody sees them, and how one is found by what a client calls it. */
import type { Contract } from '../../crds/contract/contract.ts';
import { poolServes, regionsOf, typesOf } from '../../crds/contract/eligibility.ts';
import { refusalOfStock } from '../../crds/contract/order.ts';
import { longestOf, shortestOf } from '../../crds/contract/terms.ts';
import type { Offering } from '../../crds/offering.ts';
import { wayOf } from '../../crds/offering-way.ts';
import { Problem } from '../../crds/problem.ts';
import type { Provider } from '../../crds/provider.ts';
import type { OfferingView } from '../../crds/wire/market.ts';
import { isOnline } from '../agents/online.ts';
import { isReady } from '../auth/identify.ts';
import type { Deps } from '../deps.ts';
import { offeringNotFound } from '../http/refusals.ts';

export type Sold = Readonly<{ offering: Offering; provider: Provider }>;

export const offeringIdOf = ({ metadata }: Offering | Contract): string =>
  `${metadata.namespace ?? ''}/${metadata.name}`;

/** The offering with its seller; undefined while the seller may not sell, and once one of them was deleted. */
export function soldBy(deps: Pick<Deps, 'caches'>, offering: Offering): Sold | undefined {
  const provider = deps.caches.providers.byNamespace(offering.metadata.namespace ?? '').find(isReady);
  const isGoing = [offering, provider].some((object) => object?.metadata.deletionTimestamp);
  return provider && !isGoing ? { offering, provider } : undefined;
}

/** By `namespace/name`, uid, or a name that is unique. Throws Problem NotFound; private ones are not found. */
export function findOffering(deps: Pick<Deps, 'caches'>, id: string): Sold {
  const { offerings } = deps.caches;
  const slash = id.indexOf('/');
  const candidates: readonly (Offering | undefined)[] =
    slash > 0
      ? [offerings.get({ namespace: id.slice(0, slash), name: id.slice(slash + 1) })]
      : [offerings.byUid(id), ...offerings.byName(id)];
  const sold = candidates
    .filter((offering) => offering !== undefined && offering.spec.visibility !== 'Private')
    .flatMap((offering) => (offering && soldBy(deps, offering)) ?? []);
  const [first] = sold;
  if (!first) throw offeringNotFound(id);
  if (sold.length === 1) return first;
  throw new Problem('ValidationFailed', `offeringId: ${sold.length} providers have an offering named ${id}`, {
    next: `Use one of ${sold
      .slice(0, 5)
      .map(({ offering }) => offeringIdOf(offering))
      .join(', ')}.`,
    extra: { errors: [{ field: 'offeringId', message: 'is not unique; use namespace/name' }] },
  });
}

export type OnlineCount = (offering: Offering) => number;

/** Counts agents that are online and whose pool could build an offering; each pool is counted once. */
export function onlineCounter(deps: Pick<Deps, 'caches' | 'clock'>): OnlineCount {
  const perPool = new Map<string, number>();
  return ({ metadata, spec }) => {
    const namespace = metadata.namespace ?? '';
    const way = wayOf(spec);
    if (!way) return 0;
    let online = 0;
    for (const pool of deps.caches.pools.inNamespace(namespace)) {
      if (!poolServes(way, pool)) continue;
      const key = `${namespace}/${pool.metadata.name}`;
      const known = perPool.get(key) ?? countOnline(deps, { namespace, name: pool.metadata.name });
      perPool.set(key, known);
      online += known;
    }
    return online;
  };
}

const countOnline = (
  deps: Pick<Deps, 'caches' | 'clock'>,
  pool: { namespace: string; name: string },
): number => deps.caches.agents.inPool(pool).filter((agent) => isOnline(deps, agent)).length;

export function presentOffering({ offering, provider }: Sold, onlineOf: OnlineCount): OfferingView {
  const { metadata, spec } = offering;
  const way = wayOf(spec);
  return {
    offeringId: offeringIdOf(offering),
    uid: metadata.uid ?? '',
    name: metadata.name,
    provider: presentSeller(provider),
    title: spec.title,
    description: spec.description ?? null,
    country: spec.country,
    region: way?.region ?? null,
    regions: way ? regionsOf(way) : [],
    provisionerType: spec.provisionerType,
    provisionerTypes: typesOf(spec),
    resources: spec.resources,
    price: spec.price,
    duration: {
      ...spec.duration,
      minHours: shortestOf(offering, provider),
      maxHours: longestOf(offering, provider),
    },
    extensionPricing: spec.extension?.price ?? 'Same',
    ...(spec.instanceConfigSchema ? { instanceConfigSchema: spec.instanceConfigSchema } : {}),
    inStock: refusalOfStock(offering) === undefined,
    available: onlineOf(offering) > 0,
  };
}

export const presentSeller = ({ metadata, spec }: Provider) => ({
  name: metadata.name,
  displayName: spec.displayName,
  pubkey: spec.publicKey,
});
