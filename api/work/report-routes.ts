/** Reports of agents: provisioned, failed, terminated, health. The rules are in crds/contract/report.ts. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Contract, contractIdOf, uidOfContractId } from '../../crds/contract/contract.ts';
import { PHASES as ALL_PHASES, type PHASES } from '../../crds/contract/phase.ts';
import { reportFailed, reportProvisioned, reportTerminated } from '../../crds/contract/report.ts';
import { count, text } from '../../crds/fields.ts';
import { Then } from '../../crds/wire/agent-fields.ts';
import {
  FailedRequest,
  FailedResponse,
  ProvisionedRequest,
  TerminatedRequest,
  TerminatedResponse,
} from '../../crds/wire/reports.ts';
import { admitCall, requireCertainAbsence } from '../agents/session.ts';
import { agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ContractOfProviderPath } from '../http/params.ts';
import { settleInWorld } from '../restore/settle.ts';
import type { Settled } from '../settle.ts';
import { payDebt } from './debts.ts';
import { claimantOf, findContract, lookUpLive } from './find-contract.ts';

const ProvisionedResponse = z.object({
  contractId: z.string().describe('The contract.'),
  phase: z.enum(ALL_PHASES).describe('Where it is now.'),
  epoch: count(Number.MAX_SAFE_INTEGER).describe('The epoch that counts.'),
  then: Then.describe('What to do.'),
});

/** Health samples are kept with a later issue; until then a report is checked and acknowledged. */
const HealthRequest = z.strictObject({
  status: z.enum(['healthy', 'unhealthy', 'degraded', 'unknown']).describe('How the machine is.'),
  checkedAt: count(Number.MAX_SAFE_INTEGER).optional().describe('When. Nanoseconds since 1970.'),
  latencyMs: count().nullish().describe('How long the check took. Milliseconds.'),
  details: text(2000).nullish().describe('What was seen.'),
});

export const reportRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/contracts/:id/provisioned',
    config: agentWith('provision'),
    schema: {
      summary: 'The machine is there',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: ProvisionedRequest,
      response: answers(ProvisionedResponse),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      deps.world.requireNormal();
      const { epoch, session, proof, instanceDetails: details, sshKeysSHA256 } = request.body;
      await admitCall(deps, { agent: caller.agent, ...speakerOf(request.body) });
      const cached = await findContract(deps, {
        id: request.params.id,
        namespace: caller.provider.spec.namespace,
      });
      const agent = claimantOf(caller, session);
      const settled = await settleInWorld(deps, {
        cached,
        granted: { agentUID: agent.uid, epoch, proof },
        rule: (contract) =>
          reportProvisioned(contract, { agent, epoch, details, sshKeysSHA256, now: deps.clock.now() }),
      });
      return ok(presentReport(settled));
    },
  });
  app.route({
    method: 'POST',
    url: '/providers/:pk/contracts/:id/failed',
    config: agentWith('provision'),
    schema: {
      summary: 'The attempt failed',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: FailedRequest,
      response: answers(FailedResponse),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      deps.world.requireNormal();
      const { epoch, session, proof, errorMessage, class: kind } = request.body;
      await admitCall(deps, { agent: caller.agent, ...speakerOf(request.body) });
      const cached = await findContract(deps, {
        id: request.params.id,
        namespace: caller.provider.spec.namespace,
      });
      const agent = claimantOf(caller, session);
      const { answer } = await settleInWorld(deps, {
        cached,
        granted: { agentUID: agent.uid, epoch, proof },
        rule: (contract) =>
          reportFailed(contract, { agent, epoch, errorMessage, class: kind, now: deps.clock.now() }),
      });
      return ok(answer);
    },
  });
  app.route({
    method: 'PUT',
    url: '/providers/:pk/contracts/:id/terminated',
    config: agentWith('provision'),
    schema: {
      summary: 'The machine is gone for certain',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: TerminatedRequest,
      response: answers(TerminatedResponse),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      deps.world.requireNormal();
      const { epoch, session, incarnation, proof } = request.body ?? {};
      await admitCall(deps, { agent: caller.agent, session, incarnation });
      await requireCertainAbsence(deps, caller.agent);
      const { id } = request.params;
      const cached = await lookUpLive(deps, { id, caller });
      const paid = await payDebt(deps, {
        agent: caller.agent,
        contractUID: uidOfContractId(id) ?? '',
        epoch,
      });
      if (!cached) return ok({ confirmed: paid }); // ended and removed: there is nobody left to wait for it
      const agent = claimantOf(caller, session);
      const { answer } = await settleInWorld(deps, {
        cached,
        granted: { agentUID: agent.uid, epoch, proof },
        rule: (contract) => reportTerminated(contract, { agent, epoch, now: deps.clock.now() }),
      });
      return ok({ confirmed: answer.confirmed || paid });
    },
  });
  app.route({
    method: 'POST',
    url: '/providers/:pk/contracts/:id/health',
    config: agentWith('health_check'),
    schema: {
      summary: 'How the machine is',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: HealthRequest,
      response: answers(z.object({ acknowledged: z.literal(true) })),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      await findContract(deps, { id: request.params.id, namespace: caller.provider.spec.namespace });
      return ok({ acknowledged: true as const });
    },
  });
};

/** Of a report; neither for an agent of the reference protocol. */
const speakerOf = ({
  session,
  incarnation,
}: Pick<z.infer<typeof FailedRequest>, 'session' | 'incarnation'>) => ({
  session,
  incarnation,
});

function presentReport({ answer, contract }: Settled<{ then: z.infer<typeof Then> }>) {
  const { metadata, status } = contract satisfies Contract;
  return {
    contractId: contractIdOf(metadata.uid ?? ''),
    phase: status.phase satisfies (typeof PHASES)[number],
    epoch: status.epoch,
    then: answer.then,
  };
}
