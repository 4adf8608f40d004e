/** A provider's hand on its agents: list, look, cordon, uncordon, drain, maintenance, revoke. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentDetail, CordonRequest, DrainRequest, MaintenanceRequest } from '../../crds/wire/agents.ts';
import { AgentView } from '../../crds/wire/pools.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { AgentPath, ProviderPath } from '../http/params.ts';
import { changeAgent, cordoned, drained, findAgent, maintained, revoked, uncordoned } from './change.ts';
import { presentAgentDetail } from './detail.ts';
import { presentAgent } from './present.ts';

const PATH = '/providers/:pk/agents/:agentKey';
const shared = { tags: ['agents'], params: AgentPath, response: answers(AgentDetail) };

const ACTIONS = [
  {
    method: 'POST',
    url: `${PATH}/cordon`,
    summary: 'Give an agent no new work',
    body: CordonRequest,
    change: (body: z.infer<typeof CordonRequest>, by: string) => cordoned({ reason: body?.reason, by }),
  },
  {
    method: 'POST',
    url: `${PATH}/uncordon`,
    summary: 'Give an agent work again, and end its drain',
    body: CordonRequest,
    change: () => uncordoned,
  },
  {
    method: 'DELETE',
    url: PATH,
    summary: 'Revoke an agent: its key is refused from now on; answers what is unattended now',
    body: z.strictObject({}).nullish(),
    change: () => revoked,
  },
] as const;

export const agentRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'GET',
    url: '/providers/:pk/agents',
    config: PROVIDER,
    schema: {
      summary: 'List your agents',
      tags: ['agents'],
      params: ProviderPath,
      response: answers(z.array(AgentView)),
    },
    handler: async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      // Those whose pool is not there too: that is what is wrong with them.
      const agents = deps.caches.agents
        .inNamespace(namespace)
        .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
      return ok(agents.map((agent) => presentAgent(deps, agent)));
    },
  });
  app.route({
    method: 'GET',
    url: PATH,
    config: PROVIDER,
    schema: { summary: 'Read one agent: what it has, what is planned, what remains on it', ...shared },
    handler: async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const agent = await findAgent(deps, { namespace, agentKey: request.params.agentKey });
      return ok(presentAgentDetail(deps, agent));
    },
  });
  for (const { method, url, summary, body, change } of ACTIONS)
    app.route({
      method,
      url,
      config: PROVIDER,
      schema: { summary, ...shared, body },
      handler: async (request) => {
        const { spec, metadata } = providerCaller(request).provider;
        const { namespace } = spec;
        const { agentKey } = request.params;
        const wanted = change(request.body, metadata.name);
        const agent = await changeAgent(deps, { namespace, agentKey, change: wanted });
        return ok(presentAgentDetail(deps, agent));
      },
    });
  app.route({
    method: 'POST',
    url: `${PATH}/drain`,
    config: PROVIDER,
    schema: {
      summary: 'Empty an agent: no new work; with a deadline, what may be built anew is moved away then',
      ...shared,
      body: DrainRequest,
    },
    handler: async (request) => {
      const { spec, metadata } = providerCaller(request).provider;
      const { namespace } = spec;
      const { agentKey } = request.params;
      const change = drained({ ...request.body, by: metadata.name });
      const agent = await changeAgent(deps, { namespace, agentKey, change });
      return ok(presentAgentDetail(deps, agent));
    },
  });
  app.route({
    method: 'PUT',
    url: `${PATH}/maintenance`,
    config: PROVIDER,
    schema: {
      summary: 'Set the maintenance windows of an agent: nothing is begun that could run into one',
      ...shared,
      body: MaintenanceRequest,
    },
    handler: async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const { agentKey } = request.params;
      const { windows } = request.body;
      const agent = await changeAgent(deps, { namespace, agentKey, change: maintained(windows) });
      return ok(presentAgentDetail(deps, agent));
    },
  });
};
