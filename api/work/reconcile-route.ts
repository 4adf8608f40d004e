/**
 * The inventory: an agent lists its machines, the rule says what becomes of each. What the cache would order to
 * be kept is kept; every other order is decided again on live reads of exactly the contracts that it concerns.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Agent } from '../../crds/agent.ts';
import { isLive, type LiveContract, uidOfContractId } from '../../crds/contract/contract.ts';
import { inherit } from '../../crds/contract/inherit.ts';
import { type InventoryFacts, judgeInventory } from '../../crds/contract/inventory.ts';
import { type ListedInstance, ReconcileRequest, ReconcileResponse } from '../../crds/wire/work.ts';
import { admitCall } from '../agents/session.ts';
import { type AgentCaller, agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ProviderPath } from '../http/params.ts';
import { settle } from '../settle.ts';
import { claimantOf } from './find-contract.ts';
import { inBatches } from './in-batches.ts';

const READS_AT_ONCE = 8;

export const reconcileRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/reconcile',
    config: agentWith('provision'),
    schema: {
      summary: 'List every machine and hear what becomes of each',
      tags: ['work'],
      params: ProviderPath,
      body: ReconcileRequest,
      response: answers(ReconcileResponse),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      const { session, incarnation } = request.body;
      await admitCall(deps, { agent: caller.agent, session, incarnation });
      return ok(await reconcile(deps, { caller, body: request.body }));
    },
  });
};

type Inventory = Readonly<{ caller: AgentCaller; body: z.infer<typeof ReconcileRequest> }>;

async function reconcile(deps: Deps, { caller, body }: Inventory): Promise<ReconcileResponse> {
  const { agent } = caller;
  const agentUID = agent.metadata.uid ?? '';
  const namespace = caller.provider.spec.namespace;
  const { id: installation } = await deps.installation();
  const fromCache = (uid: string): LiveContract | undefined => {
    const contract = deps.caches.contracts.byUid(uid);
    return contract && isLive(contract) && contract.metadata.namespace === namespace ? contract : undefined;
  };
  const base = { agentUID, installation, listed: body.runningInstances, isRevoked: isRevoked(deps) };
  const owed = agent.status?.owedDestroys ?? [];
  const guess = judgeInventory({
    ...base,
    contractOf: fromCache,
    heldBy: deps.caches.contracts.heldBy(agentUID).filter(isLive),
    owed,
  });
  const suspects = suspectsOf(guess, body.runningInstances);
  if (suspects.length === 0) return guess;
  const answer = judgeInventory(await liveFacts(deps, { base, agent, namespace, suspects, fromCache }));
  return { ...answer, adopt: await inherited(deps, { caller, body, fromCache, orders: answer.adopt }) };
}

type Adopting = Inventory &
  Readonly<{ fromCache: (uid: string) => LiveContract | undefined; orders: ReconcileResponse['adopt'] }>;

/** The orders to adopt whose entries are the caller's now; the others are decided again at its next inventory. */
async function inherited(
  deps: Deps,
  { caller, body, fromCache, orders }: Adopting,
): Promise<ReconcileResponse['adopt']> {
  const passed: ReconcileResponse['adopt'] = [];
  const heir = claimantOf(caller, body.session);
  for (const order of orders) {
    const from = body.runningInstances.find(({ externalId }) => externalId === order.externalId)?.agentUid;
    const cached = fromCache(uidOfContractId(order.contractId) ?? '');
    if (!cached || from === undefined) continue;
    const rule = (contract: LiveContract) => inherit(contract, { from, heir, epoch: order.epoch });
    const { answer } = await settle(deps, { cached, rule });
    if (answer.adopt) passed.push(order);
  }
  return passed;
}

const isRevoked =
  (deps: Deps) =>
  (uid: string): boolean =>
    deps.caches.agents.byUid(uid)?.spec.revoked ?? false;

/** Contracts about which anything but `keep` would be said. Ids that no contract can have are dropped. */
function suspectsOf(guess: ReconcileResponse, listed: readonly ListedInstance[]): string[] {
  const kept = new Set(guess.keep.map(({ externalId }) => externalId));
  const ids = [
    ...listed.filter(({ externalId }) => !kept.has(externalId)).map(({ contractId }) => contractId ?? ''),
    ...guess.confirm.map(({ contractId }) => contractId),
  ];
  return [...new Set(ids.flatMap((id) => uidOfContractId(id) ?? []))];
}

type Live = Readonly<{
  base: Pick<InventoryFacts, 'agentUID' | 'installation' | 'listed' | 'isRevoked'>;
  agent: Agent;
  namespace: string;
  suspects: readonly string[];
  fromCache: (uid: string) => LiveContract | undefined;
}>;

async function liveFacts(
  deps: Deps,
  { base, agent, namespace, suspects, fromCache }: Live,
): Promise<InventoryFacts> {
  const live = new Map<string, LiveContract | undefined>();
  const missing = suspects.filter((uid) => fromCache(uid) === undefined);
  await inBatches(suspects, {
    size: READS_AT_ONCE,
    each: async (uid) => {
      const cached = fromCache(uid);
      if (!cached) return;
      const read = await deps.clients.contracts.get(cached.metadata);
      live.set(uid, read && read.metadata.uid === uid && isLive(read) ? read : undefined);
    },
  });
  if (missing.length > 0)
    for (const [uid, contract] of await searchLive(deps, { namespace, uids: new Set(missing) }))
      live.set(uid, contract);
  const liveAgent = await deps.clients.agents.get(agent.metadata);
  const heldBy = deps.caches.contracts
    .heldBy(base.agentUID)
    .flatMap(({ metadata }) => (live.has(metadata.uid ?? '') ? (live.get(metadata.uid ?? '') ?? []) : []));
  return {
    ...base,
    contractOf: (uid) => (live.has(uid) ? live.get(uid) : fromCache(uid)),
    heldBy,
    owed: liveAgent?.status?.owedDestroys ?? [],
  };
}

/**
 * A machine of a contract that the cache does not know: before it is called unknown, the namespace is read
 * live, page by page. Rare, and worth it: the order would be to stop the machine.
 */
async function searchLive(
  deps: Deps,
  { namespace, uids }: Readonly<{ namespace: string; uids: ReadonlySet<string> }>,
): Promise<Map<string, LiveContract>> {
  const found = new Map<string, LiveContract>();
  let next: string | undefined;
  do {
    const page = await deps.clients.contracts.list({ namespace, limit: 500, continue: next });
    for (const contract of page.items) {
      const uid = contract.metadata.uid ?? '';
      if (uids.has(uid) && isLive(contract)) found.set(uid, contract);
    }
    next = page.continue;
  } while (next !== undefined && found.size < uids.size);
  return found;
}
