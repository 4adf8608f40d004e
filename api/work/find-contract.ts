/** The contract that a path names, in the namespace of the provider; another provider's does not exist here. */
import { type Contract, uidOfContractId } from '../../crds/contract/contract.ts';
import type { Claimant } from '../../crds/contract/verdict.ts';
import { Problem } from '../../crds/problem.ts';
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

type Confirmed = Readonly<{ id: string; caller: AgentCaller }>;

/**
 * For a confirmation, which is never sent again once it was answered: also one that the cache does not know.
 * Undefined: the cluster has no such contract. Throws Problem NotReady when nobody may look for it just now.
 */
export async function lookUpLive(deps: Deps, { id, caller }: Confirmed): Promise<Contract | undefined> {
  const { namespace } = caller.provider.spec;
  const cached = await lookUpContract(deps, { id, namespace });
  const uid = uidOfContractId(id);
  if (cached || uid === undefined) return cached;
  const agentUID = caller.agent.metadata.uid ?? '';
  const search = { namespace, agentUID, uids: [uid], because: 'Confirmation' } as const;
  const found = (await deps.liveContracts.find(search)).get(uid) ?? 'NotLooked';
  if (found === 'NotLooked')
    throw new Problem('NotReady', 'This contract was not looked for in the cluster yet.', {
      next: 'Send the request again in some seconds.',
      retryAfterSeconds: 10,
    });
  return found === 'Absent' ? undefined : found;
}

export const claimantOf = ({ agent, pool }: AgentCaller, session: string | undefined): Claimant => ({
  name: agent.metadata.name,
  uid: agent.metadata.uid ?? '',
  poolName: pool.metadata.name,
  session,
});
