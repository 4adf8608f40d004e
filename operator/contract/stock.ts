/** Units of finite stock, taken and given back by compare-and-swap on the Offering: the last one is sold once. */
import type { Contract } from '../../crds/contract/contract.ts';
import { refusalOfStock } from '../../crds/contract/order.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import type { Offering } from '../../crds/offering.ts';
import { Problem } from '../../crds/problem.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import type { Clients } from '../clients.ts';

type Input = Readonly<{ contract: Contract; signal: AbortSignal }>;

/** Throws OutOfStock when another contract took the last unit since the decision; a conflict is decided again. */
export async function reserveUnit(
  offerings: ResourceClient<Offering>,
  { contract, signal }: Input,
): Promise<void> {
  const uid = contract.metadata.uid ?? '';
  const offering = await offerings.get(offeringOf(contract), { signal });
  const reserved = offering?.status?.reserved ?? [];
  if (!offering || reserved.includes(uid)) return;
  const soldOut = refusalOfStock(offering);
  if (soldOut)
    throw new Problem('OutOfStock', soldOut.message, { next: 'It is accepted when a unit is given back.' });
  await offerings.updateStatus(
    { ...offering, status: { ...offering.status, reserved: [...reserved, uid] } },
    { signal },
  );
}

/** Decided from a cache, so looked at once more: a contract that was retried meanwhile keeps its new unit. */
export async function releaseUnit(
  { offerings, contracts }: Pick<Clients, 'offerings' | 'contracts'>,
  { contract, signal }: Input,
): Promise<void> {
  const uid = contract.metadata.uid ?? '';
  const live = await contracts.get(contract.metadata, { signal });
  if (live?.metadata.uid === uid && live.status && !hasEnded(live.status.phase)) return;
  const offering = await offerings.get(offeringOf(contract), { signal });
  if (!offering?.status?.reserved?.includes(uid)) return;
  const reserved = offering.status.reserved.filter((entry) => entry !== uid);
  await offerings.updateStatus({ ...offering, status: { ...offering.status, reserved } }, { signal });
}

const offeringOf = ({ metadata, spec }: Contract): { name: string; namespace: string } => ({
  name: spec.offering.name,
  namespace: metadata.namespace ?? '',
});
