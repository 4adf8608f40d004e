/**
 * What a revoked agent leaves behind passes to the agent that lists its machine: first its debts for that
 * contract, then the entries of the contract; only then is the machine re-tagged. Each step may be repeated, so
 * an inventory that is cut off in between is simply sent again. Source: docs/contract.md, 10.
 */
import type { Agent, OwedDestroy } from '../../crds/agent.ts';
import { uidOfContractId } from '../../crds/contract/contract.ts';
import { inherit } from '../../crds/contract/inherit.ts';
import type { InventoryFacts } from '../../crds/contract/inventory.ts';
import type { Claimant } from '../../crds/contract/verdict.ts';
import { FINALIZER } from '../../crds/group.ts';
import type { ReconcileResponse } from '../../crds/wire/reconcile.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { readDecideWrite } from '../../kube/write.ts';
import type { Deps } from '../deps.ts';
import { settle } from '../settle.ts';

type Adopting = Readonly<{
  heir: Claimant;
  /** The Agent object of the heir. */
  agent: Agent;
  facts: InventoryFacts;
  orders: ReconcileResponse['adopt'];
}>;

/** The orders to adopt whose entries are the heir's now; the others are decided again at its next inventory. */
export async function inherited(
  deps: Deps,
  { heir, agent, facts, orders }: Adopting,
): Promise<ReconcileResponse['adopt']> {
  const passed: ReconcileResponse['adopt'] = [];
  for (const order of orders) {
    const from = facts.listed.find(({ externalId }) => externalId === order.externalId)?.agentUid;
    const contractUID = uidOfContractId(order.contractId);
    if (from === undefined || contractUID === undefined) continue;
    await passDebts(deps, { from, heir: agent, contractUID });
    const contract = facts.contractOf(contractUID);
    if (!contract) {
      passed.push(order); // nothing but the machine is left: the heir's next inventory judges it as its own
      continue;
    }
    const rule = (current: typeof contract) =>
      inherit(current, { from, heir, epoch: order.epoch, now: deps.clock.now() });
    const { answer } = await settle(deps, { cached: contract, rule });
    if (answer.adopt) passed.push(order);
  }
  return passed;
}

type Passing = Readonly<{ from: string; heir: Agent; contractUID: string }>;

/** Written on the heir before they are struck out: a crash in between leaves them on both, and it is repeated. */
async function passDebts(deps: Deps, { from, heir, contractUID }: Passing): Promise<void> {
  const isPassed = (debt: OwedDestroy): boolean => debt.contractUID === contractUID;
  const testator = deps.caches.agents.byUid(from);
  const live = testator && (await deps.clients.agents.get(testator.metadata));
  const debts = live?.metadata.uid === from ? (live.status?.owedDestroys ?? []).filter(isPassed) : [];
  if (!live || debts.length === 0) return;
  const { agents } = deps.clients;
  await keepWhileItOwes(agents, heir);
  await changeOwed(agents, heir, (owed) => [
    ...owed,
    ...debts.filter((debt) => !owed.some((mine) => isPassed(mine) && mine.epoch === debt.epoch)),
  ]);
  await changeOwed(agents, live, (owed) => owed.filter((debt) => !isPassed(debt)));
}

const keepWhileItOwes = (agents: ResourceClient<Agent>, { metadata }: Agent) =>
  readDecideWrite<Agent>({
    resource: agents,
    ref: metadata,
    part: 'Spec',
    decide: (current) => {
      const finalizers = current.metadata.finalizers ?? [];
      if (finalizers.includes(FINALIZER) || current.metadata.deletionTimestamp) return undefined;
      return { ...current, metadata: { ...current.metadata, finalizers: [...finalizers, FINALIZER] } };
    },
  });

const changeOwed = (
  agents: ResourceClient<Agent>,
  { metadata }: Agent,
  next: (owed: readonly OwedDestroy[]) => OwedDestroy[],
) =>
  readDecideWrite<Agent>({
    resource: agents,
    ref: metadata,
    part: 'Status',
    decide: (current) => {
      if (current.metadata.uid !== metadata.uid) return undefined;
      const owed = current.status?.owedDestroys ?? [];
      const owedDestroys = next(owed);
      return owedDestroys.length === owed.length
        ? undefined
        : { ...current, status: { ...current.status, owedDestroys } };
    },
  });
