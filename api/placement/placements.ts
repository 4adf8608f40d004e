/**
 * `place` of a contract, remembered: many agents ask about one contract at the same time, and nothing of the answer
 * changes before the contract, the supply or the time of one of its reasons does.
 */
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import { type Placement, place } from '../../crds/placement/place.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Caches } from '../caches.ts';
import type { LiveSupply } from './supply.ts';

export type Placements = Readonly<{
  /** Throws when the contract has no terms: there is nothing to place. */
  of: (contract: LiveContract) => Placement;
}>;

type Kept = Readonly<{ version: number; placement: Placement }>;

export function createPlacements({
  supply,
  caches,
  clock,
}: Readonly<{ supply: Pick<LiveSupply, 'of'>; clock: Clock }> & Companions): Placements {
  // By object: a contract that changed is another one, and who is gone is forgotten.
  const kept = new WeakMap<LiveContract, Kept>();
  return {
    of: (contract) => {
      const { metadata, spec } = contract;
      const now = clock.now();
      const view = supply.of(metadata.namespace ?? '');
      const known = kept.get(contract);
      const isDue = now.getTime() >= (known?.placement.againAtMs ?? Number.POSITIVE_INFINITY);
      // What its companions do is no part of the supply.
      if (known?.version === view.version && !isDue && !spec.antiAffinity) return known.placement;
      const terms = spec.termsSnapshot;
      if (!terms) throw new Error(`contract ${metadata.name} has no terms`);
      const siblings = siblingsOf(caches, contract);
      const placement = place(contract, { terms, supply: view.supply, siblings, now });
      kept.set(contract, { version: view.version, placement });
      return placement;
    },
  };
}

export type Companions = Readonly<{
  caches: Readonly<{ contracts: Pick<Caches['contracts'], 'companionsOf'> }>;
}>;

/** Contracts that are to be kept apart from this one. */
export const siblingsOf = (caches: Companions['caches'], contract: LiveContract): readonly Contract[] =>
  contract.spec.antiAffinity ? caches.contracts.companionsOf(contract) : [];
