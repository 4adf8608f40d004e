/**
 * The inventory of an agent while a restore is being resolved: kept in PostgreSQL for the operator, and answered
 * with no order. It counts only when the agent had heard of the generation, and dropped what is older, before it
 * listed. An agent of the reference protocol has nothing to drop. Source: docs/contract.md, 12.
 */
import type { z } from 'zod';
import { uidOfContractId } from '../../crds/contract/contract.ts';
import type { ListedInstance, ReconcileRequest, ReconcileResponse } from '../../crds/wire/reconcile.ts';
import type { ListedMachine } from '../../store/restore.ts';
import type { AgentCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';

type Inventory = Readonly<{ caller: AgentCaller; body: z.infer<typeof ReconcileRequest> }>;

/** Undefined: nothing is being resolved. Throws StoreUnavailable: the agent sends it again. */
export async function takeListing(
  deps: Deps,
  { caller, body }: Inventory,
): Promise<ReconcileResponse | undefined> {
  const { world, store } = deps;
  const said = body.generation ?? 0;
  const { generation, phase } = said > world.now().generation ? await world.refresh() : world.now();
  if (phase === 'Normal') return world.areDeletionsSuspended() ? nothing() : undefined;
  if (said === generation || body.session === undefined) {
    const { id } = await deps.installation();
    const agentUID = caller.agent.metadata.uid ?? '';
    const ours = body.runningInstances.filter(({ installation = id }) => installation === id);
    const machines = await Promise.all(ours.map((machine) => asProven(deps, { agentUID, machine })));
    await store.restore.putListing({ generation, agentUID, machines });
    deps.log.info(
      { agent: caller.agent.metadata.name, machines: machines.length, generation },
      'listing taken',
    );
  }
  return nothing();
}

type Listed = Readonly<{ agentUID: string; machine: ListedInstance }>;

/** Checked here, where the key is: whoever resolves the restore reads only whether it was granted. */
async function asProven(
  { world }: Pick<Deps, 'world'>,
  { agentUID, machine: { proof, ...machine } }: Listed,
): Promise<ListedMachine> {
  const contractUID = uidOfContractId(machine.contractId ?? '');
  if (contractUID === undefined || machine.epoch === undefined) return machine;
  const grant = { contractUID, agentUID: machine.agentUid ?? agentUID, epoch: machine.epoch };
  return (await world.isProof(grant, proof)) ? { ...machine, isProven: true } : machine;
}

/** A machine of a contract that was made after the backup: it runs on until a person decides. */
export function sparingUnclaimed(
  deps: Deps,
  { body }: Pick<Inventory, 'body'>,
  answer: ReconcileResponse,
): ReconcileResponse {
  const { unclaimed } = deps.world.now();
  if (unclaimed.length === 0) return answer;
  const names = new Set(unclaimed.map(({ contractUID, externalId }) => `${contractUID} ${externalId}`));
  const contractIdOf = new Map(body.runningInstances.map((it) => [it.externalId, it.contractId]));
  const isSpared = ({ externalId }: Readonly<{ externalId: string }>): boolean => {
    const uid = uidOfContractId(contractIdOf.get(externalId) ?? '');
    return names.has(`${uid} ${externalId}`);
  };
  const spared = answer.unknown.filter(isSpared);
  if (spared.length === 0) return answer;
  return {
    ...answer,
    unknown: answer.unknown.filter((entry) => !isSpared(entry)),
    undecided: [...(answer.undecided ?? []), ...spared.map(({ externalId }) => externalId)],
  };
}

const nothing = (): ReconcileResponse => ({
  keep: [],
  terminate: [],
  unknown: [],
  pause: [],
  adopt: [],
  confirm: [],
  deletionsSuspended: true,
});
