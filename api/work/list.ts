/** The work of an agent that it may claim, as items; `claimable.ts` says what that is. */
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { Deps } from '../deps.ts';
import { WAKE } from '../wake.ts';
import { presentPending, scriptOf } from './pending.ts';

export type Worker = Readonly<{ agent: Agent; pool: AgentPool }>;

/** What a long poll of this agent waits for. */
export const wakeKeysOf = ({ supply }: Deps, { agent, pool }: Worker): string[] => [
  WAKE.agent(agent.metadata.uid ?? ''),
  ...supply
    .of(agent.metadata.namespace ?? '')
    .keysOf(pool)
    .map(WAKE.demand),
];

export async function provisionItems(
  deps: Deps,
  { worker, contracts }: Readonly<{ worker: Worker; contracts: readonly LiveContract[] }>,
): Promise<WorkItem[]> {
  const items = await Promise.all(
    contracts.map(async (contract): Promise<WorkItem | undefined> => {
      const pending = presentPending(contract, { pool: worker.pool, script: await scriptOf(deps, contract) });
      return (
        pending && {
          action: 'Provision',
          contractId: pending.contractId,
          epoch: contract.status.epoch,
          lockTtlSeconds: worker.pool.spec.lockTTLSeconds,
          contract: pending,
        }
      );
    }),
  );
  return items.filter((item) => item !== undefined);
}
