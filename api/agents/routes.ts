/** A provider's hand on its agents: list, cordon, uncordon, drain, revoke. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Agent } from '../../crds/agent.ts';
import { AgentView, CordonRequest } from '../../crds/wire/pools.ts';
import { isConflict } from '../../kube/error.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { AgentPath, ProviderPath } from '../http/params.ts';
import { agentNotFound, busy } from '../http/refusals.ts';
import { presentAgent } from './present.ts';

const WRITES_MAX = 5;
type Spec = Agent['spec'];
type Change = (spec: Spec, reason: string | undefined) => Spec;

const cordoned: Change = ({ cordonReason, ...spec }, reason) => ({
  ...spec,
  cordoned: true,
  ...(reason ? { cordonReason: reason } : {}),
});
const drained: Change = (spec, reason) => ({ ...cordoned(spec, reason), draining: true });
const uncordoned: Change = ({ cordonReason, ...spec }) => ({ ...spec, cordoned: false, draining: false });

const ACTIONS = [
  { word: 'cordon', summary: 'Give an agent no new work', change: cordoned },
  { word: 'drain', summary: 'Cordon an agent and tell it that it is to be emptied', change: drained },
  { word: 'uncordon', summary: 'Give an agent work again', change: uncordoned },
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
      const agents = deps.caches.pools
        .inNamespace(namespace)
        .flatMap(({ metadata }) => deps.caches.agents.inPool({ namespace, name: metadata.name }));
      agents.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
      return ok(agents.map((agent) => presentAgent(deps, agent)));
    },
  });
  for (const { word, summary, change } of ACTIONS)
    app.route({
      method: 'POST',
      url: `/providers/:pk/agents/:agentKey/${word}`,
      config: PROVIDER,
      schema: {
        summary,
        tags: ['agents'],
        params: AgentPath,
        body: CordonRequest,
        response: answers(AgentView),
      },
      handler: async (request) => {
        const { namespace } = providerCaller(request).provider.spec;
        const { agentKey } = request.params;
        const reason = request.body?.reason;
        const agent = await changeAgent(deps, {
          namespace,
          agentKey,
          change: (spec) => change(spec, reason),
        });
        return ok(presentAgent(deps, agent));
      },
    });
  app.route({
    method: 'DELETE',
    url: '/providers/:pk/agents/:agentKey',
    config: PROVIDER,
    schema: {
      summary: 'Revoke an agent: its key is refused from now on',
      tags: ['agents'],
      params: AgentPath,
      response: answers(AgentView),
    },
    handler: async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const revoke = (spec: Spec): Spec => ({ ...spec, revoked: true });
      const agent = await changeAgent(deps, { namespace, agentKey: request.params.agentKey, change: revoke });
      return ok(presentAgent(deps, agent));
    },
  });
};

type Changing = Readonly<{ namespace: string; agentKey: string; change: (spec: Spec) => Spec }>;

async function changeAgent(deps: Deps, { namespace, agentKey, change }: Changing): Promise<Agent> {
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const query = { namespace, fieldSelector: `spec.publicKey=${agentKey}` };
    const { items } = await deps.clients.agents.list(query);
    const agent = items.find(({ spec }) => !spec.revoked) ?? items[0];
    if (!agent) throw agentNotFound(agentKey);
    try {
      return await deps.clients.agents.update({ ...agent, spec: change(agent.spec) });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw busy();
}
