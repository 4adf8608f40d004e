/** An agent says what it did of a tenant's wishes. The rule is in crds/contract/upkeep.ts. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { reportApplied } from '../../crds/contract/upkeep.ts';
import { Then } from '../../crds/wire/agent-fields.ts';
import { AppliedRequest } from '../../crds/wire/reports.ts';
import { admitCall } from '../agents/session.ts';
import { agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ContractOfProviderPath } from '../http/params.ts';
import { settle } from '../settle.ts';
import { claimantOf, findContract } from './find-contract.ts';

export const appliedRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'PUT',
    url: '/providers/:pk/contracts/:id/applied',
    config: agentWith('provision'),
    schema: {
      summary: 'What was done of the wishes about a running machine',
      tags: ['work'],
      params: ContractOfProviderPath,
      body: AppliedRequest,
      response: answers(z.object({ then: Then })),
    },
    handler: async (request) => {
      const caller = agentCaller(request);
      deps.world.requireNormal();
      const {
        epoch,
        session,
        incarnation,
        failed,
        sealedCredentials,
        instanceDetails: details,
        ...done
      } = request.body;
      await admitCall(deps, { agent: caller.agent, session, incarnation });
      const { namespace } = caller.provider.spec;
      const cached = await findContract(deps, { id: request.params.id, namespace });
      const agent = claimantOf(caller, session);
      const { answer } = await settle(deps, {
        cached,
        rule: (contract) =>
          reportApplied(contract, {
            agent,
            epoch,
            done,
            failed,
            sealedCredentials,
            details,
            now: deps.clock.now(),
          }),
      });
      return ok({ then: answer.then });
    },
  });
};
