/**
 * What an agent may still have of an epoch that can never count again: found by the cache, and ordered to be
 * destroyed only when a live read confirms it.
 */
import type { Agent } from '../../crds/agent.ts';
import { type Contract, contractIdOf } from '../../crds/contract/contract.ts';
import { isEnding } from '../../crds/contract/phase.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { Deps } from '../deps.ts';

const DESTROY_MAX = 16;

/** (contract, epoch) pairs that this agent may have and that can never count again, by the cache. */
export function doomed(deps: Deps, { metadata, status }: Agent): readonly Doomed[] {
  const uid = metadata.uid ?? '';
  const held = deps.caches.contracts.doomedAt(uid).flatMap((contract) => doomedEpochs(contract, uid));
  const owed = (status?.owedDestroys ?? []).map(({ contractUID, epoch }) => ({ uid: contractUID, epoch }));
  return [...held, ...owed].slice(0, DESTROY_MAX);
}

export type Doomed = Readonly<{ uid: string; epoch: number }>;

/** What of the contract this agent may have and that can never count again. */
export function doomedEpochs(contract: Contract, agentUID: string): Doomed[] {
  const { status, metadata } = contract;
  if (!status) return [];
  return (status.holders ?? [])
    .filter((entry) => entry.agentUID === agentUID && (isEnding(status.phase) || entry.epoch < status.epoch))
    .map(({ epoch }) => ({ uid: metadata.uid ?? '', epoch }));
}

/** Only what a live read confirms is ordered to be destroyed. */
export async function destroyItems(
  deps: Deps,
  { agent, suspects }: Readonly<{ agent: Agent; suspects: readonly Doomed[] }>,
): Promise<WorkItem[]> {
  const uids = [...new Set(suspects.map(({ uid }) => uid))];
  const checked = await Promise.all(uids.map((uid) => destroyOf(deps, { agent, uid })));
  const owed = suspects.length > 0 ? await owedItems(deps, { agent, suspects }) : [];
  const items = [...checked.flat(), ...owed];
  if (items.length > 0) await deps.world.requireCertain();
  return items.filter((item, at) => items.findIndex((other) => isSame(other, item)) === at);
}

async function destroyOf(deps: Deps, { agent, uid }: { agent: Agent; uid: string }): Promise<WorkItem[]> {
  const cached = deps.caches.contracts.byUid(uid);
  const live = cached && (await deps.clients.contracts.get(cached.metadata));
  if (!live || live.metadata.uid !== uid) return [];
  const { instance } = live.status ?? {};
  const agentUID = agent.metadata.uid ?? '';
  return doomedEpochs(live, agentUID).map(({ epoch }) => {
    const isInstance = instance?.agentUID === agentUID && instance.epoch === epoch;
    return destroyItem({ uid, epoch }, isInstance ? instance.externalId : undefined);
  });
}

async function owedItems(
  deps: Deps,
  { agent, suspects }: Readonly<{ agent: Agent; suspects: readonly Doomed[] }>,
): Promise<WorkItem[]> {
  const debts = agent.status?.owedDestroys ?? [];
  if (!debts.some((debt) => suspects.some(({ uid }) => uid === debt.contractUID))) return [];
  const live = await deps.clients.agents.get(agent.metadata);
  return (live?.status?.owedDestroys ?? [])
    .slice(0, DESTROY_MAX)
    .map(({ contractUID, epoch }) => destroyItem({ uid: contractUID, epoch }, undefined));
}

const destroyItem = ({ uid, epoch }: Doomed, externalId: string | undefined): WorkItem => ({
  action: 'Destroy',
  contractId: contractIdOf(uid),
  epoch,
  ...(externalId ? { externalId } : {}),
});

const isSame = (a: WorkItem, b: WorkItem): boolean => a.contractId === b.contractId && a.epoch === b.epoch;
