/**
 * Stock is counted by live contracts: a unit of a contract that is not there any more, because somebody took its
 * finalizer off by force, goes back on sale. Suspected from the cache, believed only after a live look.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import type { Offering } from '../../crds/offering.ts';
import type { ResourceClient } from '../../kube/resource.ts';

/** UIDs that have a unit and belong to none of these contracts, those of the offering. */
export function unitsWithoutContract(
  { status }: Pick<Offering, 'status'>,
  contracts: readonly Pick<Contract, 'metadata'>[],
): readonly string[] {
  const there = new Set(contracts.map(({ metadata }) => metadata.uid));
  return (status?.reserved ?? []).filter((uid) => !there.has(uid));
}

type Clients = Readonly<{ contracts: ResourceClient<Contract>; offerings: ResourceClient<Offering> }>;

/** Whether any unit was given back. Throws a conflict when the offering was written meanwhile. */
export async function giveBackLost(
  { contracts, offerings }: Clients,
  { offering, signal }: Readonly<{ offering: Offering; signal: AbortSignal }>,
): Promise<boolean> {
  const { namespace = '' } = offering.metadata;
  const { items } = await contracts.list({ namespace }, { signal });
  const lost = unitsWithoutContract(offering, items);
  if (lost.length === 0) return false;
  const reserved = (offering.status?.reserved ?? []).filter((uid) => !lost.includes(uid));
  await offerings.updateStatus({ ...offering, status: { ...offering.status, reserved } }, { signal });
  return true;
}
