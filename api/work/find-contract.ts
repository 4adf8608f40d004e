/** The contract that a path names, in the namespace of the provider; another provider's does not exist here. */
import { type Contract, uidOfContractId } from '../../crds/contract/contract.ts';
import type { Claimant } from '../../crds/contract/verdict.ts';
import type { AgentCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { contractGone } from '../http/refusals.ts';
import { untilCached, WAKE } from '../wake.ts';

type Named = Readonly<{ id: string; namespace: string }>;

/** Throws Problem NotFound. One that another facade has just made known is waited for. */
export async function findContract(deps: Deps, named: Named): Promise<Contract> {
  const contract = await lookUpContract(deps, named);
  if (!contract) throw contractGone();
  return contract;
}

export async function lookUpContract(deps: Deps, { id, namespace }: Named): Promise<Contract | undefined> {
  const uid = uidOfContractId(id) ?? '';
  const cached = (): Contract | undefined => deps.caches.contracts.byUid(uid);
  await untilCached(deps, { keys: [WAKE.contract(uid)], isThere: () => cached() !== undefined });
  const contract = cached();
  return contract?.metadata.namespace === namespace ? contract : undefined;
}

export const claimantOf = ({ agent, pool }: AgentCaller, session: string | undefined): Claimant => ({
  name: agent.metadata.name,
  uid: agent.metadata.uid ?? '',
  poolName: pool.metadata.name,
  session,
});
