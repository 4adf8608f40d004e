/** What a rental for longer costs now, and what was agreed so far: its tenant reads it before it asks. */
import type { Contract } from '../../crds/contract/contract.ts';
import { addedPriceOf, extensionMessage, hoursOf } from '../../crds/contract/extension.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import type { PriceValue } from '../../crds/price.ts';
import type { ContractView } from '../../crds/wire/market.ts';
import type { Deps } from '../deps.ts';

/** As this facade knows the offering; undefined while there are no terms. */
export function priceNow(deps: Pick<Deps, 'caches'>, contract: Contract): PriceValue | undefined {
  const { metadata, spec } = contract;
  const namespace = metadata.namespace ?? '';
  return addedPriceOf(contract, deps.caches.offerings.get({ namespace, name: spec.offering.name }));
}

export function presentExtension(
  deps: Pick<Deps, 'caches'>,
  contract: Contract,
  { archived }: Readonly<{ archived: boolean }>,
): ContractView['extension'] {
  const { spec, status } = contract;
  const isOver = archived || (status !== undefined && hasEnded(status.phase));
  return {
    pricing: spec.termsSnapshot?.extension?.price ?? 'Same',
    price: isOver ? null : (priceNow(deps, contract) ?? null),
    agreed: status?.extensions ?? [],
    pendingHours: isOver ? 0 : (spec.durationHours ?? 0) - (hoursOf(contract) ?? 0),
    message: (status && extensionMessage(status)) ?? null,
  };
}
