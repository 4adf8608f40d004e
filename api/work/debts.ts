/** Debts of an agent: machines whose absence it has not confirmed for a day. A confirmation strikes one out. */
import type { Agent } from '../../crds/agent.ts';
import { isConflict } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';
import { busy } from '../http/refusals.ts';

const WRITES_MAX = 5;

type Debt = Readonly<{ agent: Agent; contractUID: string; epoch: number | undefined }>;

/** Whether there was such a debt; it is gone afterwards. Without an epoch: every debt of that contract. */
export async function payDebt(deps: Deps, { agent, contractUID, epoch }: Debt): Promise<boolean> {
  const isPaid = (debt: Readonly<{ contractUID: string; epoch: number }>): boolean =>
    debt.contractUID === contractUID && (epoch === undefined || debt.epoch === epoch);
  let current: Agent | undefined = deps.caches.agents.byUid(agent.metadata.uid ?? '') ?? agent;
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const owed = current?.status?.owedDestroys ?? [];
    if (!current || !owed.some(isPaid)) return false;
    const owedDestroys = owed.filter((debt) => !isPaid(debt));
    try {
      await deps.clients.agents.updateStatus({ ...current, status: { ...current.status, owedDestroys } });
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      current = await deps.clients.agents.get(agent.metadata);
    }
  }
  throw busy();
}
