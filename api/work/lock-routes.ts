/** The lock: claim or renew by POST, give up by DELETE. The rule is in crds/contract/lock.ts. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import { claim, type LockAnswer, renew } from '../../crds/contract/lock.ts';
import { release } from '../../crds/contract/release.ts';
import type { Verdict } from '../../crds/contract/verdict.ts';
import { LockRequest, LockResponse, ReleaseRequest, ReleaseResponse } from '../../crds/wire/lock.ts';
import { admitCall, requireCertainAbsence } from '../agents/session.ts';
import { type AgentCaller, agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ContractOfProviderPath } from '../http/params.ts';
import { settleInWorld } from '../restore/settle.ts';
import { requireApart } from './apart.ts';
import { eligibleFor } from './eligible.ts';
import { claimantOf, findContract, lookUpLive } from './find-contract.ts';

type LockBody = Readonly<{
  session?: string | undefined;
  incarnation?: number | undefined;
  epoch?: number | undefined;
  observedEpoch?: number | undefined;
  heard?: string | undefined;
  proof?: string | undefined;
}>;

export const lockRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/contracts/:id/lock',
    config: agentWith('provision'),
    schema: {
      summary: 'Claim a contract, or with `epoch` keep its lock',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: LockRequest,
      response: answers(LockResponse),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      const { heard } = request.body ?? {};
      await deps.world.hear({ heard, agentUID: caller.agent.metadata.uid ?? '' });
      deps.world.requireNormal();
      const cached = await findContract(deps, {
        id: request.params.id,
        namespace: caller.provider.spec.namespace,
      });
      return ok(await lock(deps, { caller, cached, body: request.body ?? {} }));
    },
  });
  app.route({
    method: 'DELETE',
    url: '/providers/:pk/contracts/:id/lock',
    config: agentWith('provision'),
    schema: {
      summary: 'Give a lock up: there is no machine of it and never will be',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: ReleaseRequest,
      response: answers(ReleaseResponse),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      deps.world.requireNormal();
      const { id } = request.params;
      const { session, incarnation, epoch, class: kind, proof } = request.body ?? {};
      await admitCall(deps, { agent: caller.agent, session, incarnation });
      await requireCertainAbsence(deps, caller.agent);
      const cached = await lookUpLive(deps, { id, caller });
      if (!cached) return ok({ released: false, then: 'Continue' as const }); // gone, and its lock with it
      const { answer } = await settleInWorld(deps, {
        cached,
        granted: { agentUID: caller.agent.metadata.uid ?? '', epoch, proof },
        rule: (contract) =>
          release(contract, {
            agent: claimantOf(caller, session),
            epoch,
            class: kind,
            now: deps.clock.now(),
          }),
      });
      return ok(answer);
    },
  });
};

type Locking = Readonly<{ caller: AgentCaller; cached: Contract; body: LockBody }>;

async function lock(deps: Deps, { caller, cached, body }: Locking): Promise<LockAnswer> {
  const { agent, pool } = caller;
  const { session, incarnation, epoch, observedEpoch, proof } = body;
  await admitCall(deps, { agent, session, incarnation });
  const claimant = claimantOf(caller, session);
  const ttlSeconds = pool.spec.lockTTLSeconds;
  let isNew = false;
  const rule = (contract: LiveContract): Verdict<LockAnswer> => {
    const now = deps.clock.now();
    if (epoch !== undefined) return renew(contract, { agent: claimant, epoch, ttlSeconds, now });
    const eligible = eligibleFor(deps, { worker: { agent, pool }, contract, now });
    const { generation } = deps.world.now();
    const verdict = claim(contract, {
      agent: claimant,
      observedEpoch,
      generation,
      ttlSeconds,
      now,
      eligible,
    });
    isNew = verdict.outcome === 'Write' && verdict.status.epoch > contract.status.epoch;
    return verdict;
  };
  const granted = { agentUID: claimant.uid, epoch, proof };
  const settle = () => settleInWorld(deps, { cached, rule, granted });
  const claimApart = async () => {
    const settled = await settle();
    const { answer, contract } = settled;
    if (answer.acquired && answer.epoch !== undefined)
      await requireApart(deps, { contract, claimant, epoch: answer.epoch, isNew });
    return settled;
  };
  if (epoch === undefined) deps.supply.heard(agent);
  const { answer } = await (epoch === undefined ? deps.claims.run(claimant.uid, claimApart) : settle());
  if (!answer.acquired || answer.epoch === undefined) return answer;
  const contractUID = cached.metadata.uid ?? '';
  const proven = await deps.world.proofOf({ contractUID, agentUID: claimant.uid, epoch: answer.epoch });
  return { ...answer, proof: proven, heard: await deps.world.heardNow() };
}
