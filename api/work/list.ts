/**
 * What an agent is to do now. Provision: what it may claim, from the index of waiting contracts, at most a few.
 * Destroy: what it may still have of an epoch that can never count again, each seen in a live read first.
 */
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { type Contract, contractIdOf, isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { isEnding } from '../../crds/contract/phase.ts';
import type { TermsSnapshot } from '../../crds/contract/spec.ts';
import { type Amounts, amountsOf, firstLack } from '../../crds/placement/amounts.ts';
import type { PreparedAgent } from '../../crds/placement/supply.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { Deps } from '../deps.ts';
import { WAKE } from '../wake.ts';
import { eligibleFor } from './eligible.ts';
import { presentPending, scriptOf } from './pending.ts';

/** An agent that has more to do than this polls again at once. */
const PROVISION_MAX = 16;
const DESTROY_MAX = 16;
/** Waiting contracts that are looked at for one answer, and those for which others are compared with the agent. */
const LOOKED_AT_MAX = 4096;
const JUDGED_MAX = 256;
/** When not all could be looked at: the rest comes then. */
const REST_IN_MS = 1000;

export type Worker = Readonly<{ agent: Agent; pool: AgentPool }>;

/** What a long poll of this agent waits for. */
export const wakeKeysOf = ({ supply }: Deps, { agent, pool }: Worker): string[] => [
  WAKE.agent(agent.metadata.uid ?? ''),
  ...supply
    .of(agent.metadata.namespace ?? '')
    .keysOf(pool)
    .map(WAKE.demand),
];

export type Claimable = Readonly<{
  contracts: readonly LiveContract[];
  /** Something waits only for its time: look again then. Infinity: only an event can bring work. */
  dueInMs: number;
}>;

export function claimable(deps: Deps, worker: Worker): Claimable {
  const { agent, pool } = worker;
  const now = deps.clock.now();
  deps.supply.heard(agent);
  const view = deps.supply.of(agent.metadata.namespace ?? '');
  const contracts: LiveContract[] = [];
  let dueInMs = Number.POSITIVE_INFINITY;
  let lookedAt = 0;
  let judged = 0;
  const mayTake = filterFor(view.agent(agent.metadata.uid ?? ''), pool);
  const seen = new Set<string>();
  for (const key of view.keysOf(pool))
    for (const contract of deps.caches.contracts.waiting(key)) {
      const isRest = contracts.length >= PROVISION_MAX || judged >= JUDGED_MAX || ++lookedAt > LOOKED_AT_MAX;
      if (isRest) return { contracts, dueInMs: REST_IN_MS };
      if (!isLive(contract) || !mayTake(contract)) continue;
      // One that allows several regions or types waits under several keys.
      const uid = contract.metadata.uid ?? '';
      if (seen.has(uid)) continue;
      seen.add(uid);
      judged++;
      const verdict = eligibleFor(deps, { worker, contract, now });
      if (verdict.eligible) contracts.push(contract);
      else {
        if (verdict.until) dueInMs = Math.min(dueInMs, Date.parse(verdict.until) - now.getTime());
        // Whoever goes first may go away.
        if (verdict.reason === 'AwaitsTurn') dueInMs = Math.min(dueInMs, view.changesAtMs - now.getTime());
      }
    }
  return { contracts, dueInMs };
}

/**
 * What is seen at a glance, so that a long queue costs an agent that is full or away next to nothing. It lets through
 * whatever it does not know; what it began itself it may always go on with.
 */
function filterFor(agent: PreparedAgent | undefined, pool: AgentPool): (contract: LiveContract) => boolean {
  if (!agent) return () => true;
  const { uid, capacity, load, fitness } = agent;
  const isOut =
    (fitness.unfit ?? fitness.away ?? fitness.outdated) !== undefined ||
    pool.spec.paused ||
    load.used.instances >= capacity.instances;
  return ({ spec, status }) => {
    if (status.holders?.some(({ agentUID }) => agentUID === uid)) return true;
    if (isOut) return false;
    const { resources } = spec.termsSnapshot ?? {};
    return (
      !resources || firstLack({ total: capacity, used: load.used, wanted: wantedOf(resources) }) === undefined
    );
  };
}

/** By object: the terms of a contract never change, and are read once. */
const wantedKept = new WeakMap<TermsSnapshot['resources'], Amounts>();
function wantedOf(resources: TermsSnapshot['resources']): Amounts {
  const known = wantedKept.get(resources) ?? amountsOf(resources);
  wantedKept.set(resources, known);
  return known;
}

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

/** (contract, epoch) pairs that this agent may have and that can never count again, by the cache. */
export function doomed(deps: Deps, { metadata, status }: Agent): readonly Doomed[] {
  const uid = metadata.uid ?? '';
  const held = deps.caches.contracts.heldBy(uid).flatMap((contract) => doomedEpochs(contract, uid));
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
