/** Labels of an agent: what an offering chooses agents by. They stand in metadata, where `kubectl label` writes them. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { AgentDetail, LabelRequest } from '../../crds/wire/agents.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { AgentPath } from '../http/params.ts';
import { labelled, rewriteAgent } from './change.ts';
import { presentAgentDetail } from './detail.ts';

export const agentLabelRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'PATCH',
    url: '/providers/:pk/agents/:agentKey/labels',
    config: PROVIDER,
    schema: {
      summary: 'Label an agent: offerings choose agents by their labels',
      tags: ['agents'],
      params: AgentPath,
      body: LabelRequest,
      response: answers(AgentDetail),
    },
    handler: async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const { agentKey } = request.params;
      const rewrite = labelled(request.body.labels);
      return ok(presentAgentDetail(deps, await rewriteAgent(deps, { namespace, agentKey, rewrite })));
    },
  });
};
