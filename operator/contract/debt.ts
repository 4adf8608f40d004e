/** Writes a debt on the Agent before its entry leaves the contract: nothing is forgotten in between. */
import type { Agent } from '../../crds/agent.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { Abandoned, Holder } from '../../crds/contract/status.ts';
import { FINALIZER } from '../../crds/group.ts';
import type { ResourceClient } from '../../kube/resource.ts';

type Input = Readonly<{ contract: Contract; holder: Holder; how: Abandoned['how']; signal: AbortSignal }>;

/**
 * Idempotent. An Agent that is gone with its object cannot owe: a person removed it knowingly. Nor does one that
 * was revoked owe what a person released by force: nothing would ever pay it, and the object could never go.
 */
export async function recordDebt(
  agents: ResourceClient<Agent>,
  { contract, holder, how, signal }: Input,
): Promise<void> {
  const found = await agents.get(
    { name: holder.agent, namespace: contract.metadata.namespace ?? '' },
    { signal },
  );
  if (!found || found.metadata.uid !== holder.agentUID) return;
  if (how === 'Forced' && found.spec.revoked) return;
  const contractUID = contract.metadata.uid ?? '';
  const owed = found.status?.owedDestroys ?? [];
  if (owed.some((debt) => debt.contractUID === contractUID && debt.epoch === holder.epoch)) return;
  const agent = await withFinalizer(agents, { agent: found, signal });
  const since = contract.status?.history?.at(-1)?.at ?? contract.metadata.creationTimestamp ?? '';
  const debt = { contractUID, epoch: holder.epoch, since };
  await agents.updateStatus(
    { ...agent, status: { ...agent.status, owedDestroys: [...owed, debt] } },
    { signal },
  );
}

/** An Agent that owes stays, even when it is deleted. */
async function withFinalizer(
  agents: ResourceClient<Agent>,
  { agent, signal }: Readonly<{ agent: Agent; signal: AbortSignal }>,
): Promise<Agent> {
  const finalizers = agent.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER) || agent.metadata.deletionTimestamp) return agent;
  return agents.update(
    { ...agent, metadata: { ...agent.metadata, finalizers: [...finalizers, FINALIZER] } },
    { signal },
  );
}
