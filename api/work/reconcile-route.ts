/**
 * The inventory: an agent lists its machines, the rule says what becomes of each. What the cache would order to
 * be kept is kept; every other order is decided again on live reads of exactly the contracts that it concerns.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { isLive, type LiveContract, uidOfContractId } from '../../crds/contract/contract.ts';
import { judgeInventory, olderWorldSigns } from '../../crds/contract/inventory.ts';
import { type ListedInstance, ReconcileRequest, ReconcileResponse } from '../../crds/wire/reconcile.ts';
import { admitCall } from '../agents/session.ts';
import { type AgentCaller, agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ProviderPath } from '../http/params.ts';
import { sparingUnclaimed, takeListing } from '../restore/listing.ts';
import { claimantOf } from './find-contract.ts';
import { inherited } from './inheritance.ts';
import { gatherInventory } from './inventory-facts.ts';
import { noteOrphans } from './orphan-status.ts';

/** Thousands of machines, after a restore each with how it was reported. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

export const reconcileRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/reconcile',
    config: agentWith('provision'),
    bodyLimit: BODY_LIMIT_BYTES,
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
      const taken = await takeListing(deps, { caller, body: request.body });
      return ok(taken ?? (await reconcile(deps, { caller, body: request.body })));
    },
  });
};

type Inventory = Readonly<{ caller: AgentCaller; body: z.infer<typeof ReconcileRequest> }>;

async function reconcile(deps: Deps, { caller, body }: Inventory): Promise<ReconcileResponse> {
  const { agent } = caller;
  const answer = sparingUnclaimed(deps, { body }, await judge(deps, { caller, body }));
  if (ordersAnything(answer)) await deps.world.requireCertain();
  await noteOrphans(deps, { agent, count: answer.unknown.length, said: body.orphans });
  return deps.world.areDeletionsSuspended() ? { ...answer, deletionsSuspended: true } : answer;
}

const ordersAnything = ({ terminate, unknown, pause, adopt, confirm }: ReconcileResponse): boolean =>
  [terminate, unknown, pause, adopt, confirm].some((orders) => orders.length > 0);

async function judge(deps: Deps, { caller, body }: Inventory): Promise<ReconcileResponse> {
  const { agent } = caller;
  const agentUID = agent.metadata.uid ?? '';
  const namespace = caller.provider.spec.namespace;
  const { id: installation } = await deps.installation();
  const fromCache = (uid: string): LiveContract | undefined => {
    const contract = deps.caches.contracts.byUid(uid);
    return contract && isLive(contract) && contract.metadata.namespace === namespace ? contract : undefined;
  };
  const isRevoked = (uid: string): boolean => {
    const { metadata, spec } = deps.caches.agents.byUid(uid) ?? {};
    return metadata?.namespace === namespace && (spec?.revoked ?? false);
  };
  const base = { agentUID, installation, listed: body.runningInstances, isRevoked };
  const guess = judgeInventory({
    ...base,
    contractOf: fromCache,
    heldBy: deps.caches.contracts.heldBy(agentUID).filter(isLive),
    owed: agent.status?.owedDestroys ?? [],
  });
  const suspects = suspectsOf(guess, body.runningInstances);
  if (suspects.length === 0) return guess;
  const facts = await gatherInventory(deps, { base, agent, namespace, suspects, fromCache });
  const answer = judgeInventory(facts);
  for (const sign of olderWorldSigns(facts)) deps.world.suspect(sign);
  if (answer.undecided)
    deps.log.warn(
      { agent: agent.metadata.name, machines: answer.undecided.slice(0, 16) },
      'machines not judged',
    );
  if (answer.adopt.length === 0) return answer;
  const heir = claimantOf(caller, body.session);
  return { ...answer, adopt: await inherited(deps, { heir, agent, facts, orders: answer.adopt }) };
}

/** Contracts about which anything but `keep` would be said. Ids that no contract can have are dropped. */
function suspectsOf(guess: ReconcileResponse, listed: readonly ListedInstance[]): string[] {
  const kept = new Set(guess.keep.map(({ externalId }) => externalId));
  const ids = [
    ...listed.filter(({ externalId }) => !kept.has(externalId)).map(({ contractId }) => contractId ?? ''),
    ...guess.confirm.map(({ contractId }) => contractId),
  ];
  return [...new Set(ids.flatMap((id) => uidOfContractId(id) ?? []))];
}
