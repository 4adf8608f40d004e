/**
 * The heartbeat: a Lease write, and rarely one of Agent.status. Figures that always move (free memory, free disk)
 * are no reason to write.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Agent } from '../../crds/agent.ts';
import { HEARTBEAT_MS } from '../../crds/contract/numbers.ts';
import { PROVISIONER_TYPES } from '../../crds/fields.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../crds/wire/heartbeat.ts';
import { isConflict, isNotFound } from '../../kube/error.ts';
import { agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ProviderPath } from '../http/params.ts';
import { admitSession } from './session.ts';

export const heartbeatRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/heartbeat',
    config: agentWith('heartbeat'),
    schema: {
      summary: 'Say that the agent is there',
      tags: ['agents'],
      params: ProviderPath,
      body: HeartbeatRequest,
      response: answers(HeartbeatResponse),
    },
    handler: async (request) => {
      const { agent, pool } = agentCaller(request);
      const { body } = request;
      await admitSession(deps, { agent, request: sessionOf(body), use: 'Heartbeat' });
      const agentUID = agent.metadata.uid ?? '';
      await deps.world.hear({ heard: body.heard, agentUID });
      await noteStatus(deps, { agent, said: body });
      const installation = await deps.installation();
      const answer: HeartbeatResponse = {
        acknowledged: true,
        nextHeartbeatSeconds: HEARTBEAT_MS / 1000,
        poolId: pool.metadata.name,
        poolName: pool.spec.displayName ?? pool.metadata.name,
        serverTime: deps.clock.now().toISOString(),
        installation: installation.id,
        agentUid: agentUID,
        generation: deps.world.now().generation,
        heard: await deps.world.heardNow(),
        ...(agent.spec.draining ? { drain: true } : {}),
      };
      return ok(answer);
    },
  });
};

function sessionOf({ session, incarnation, fingerprint, leaving }: HeartbeatRequest) {
  if (session === undefined) return undefined; // an agent of the reference protocol
  return { session, incarnation: incarnation ?? 0, fingerprint, leaving };
}

type Noting = Readonly<{ agent: Agent; said: HeartbeatRequest }>;

/** Only when version, type or size of the host change; that it was seen at all, the operator writes now and then. */
async function noteStatus(deps: Deps, { agent, said }: Noting): Promise<void> {
  const { status } = agent;
  const facts = factsOf(said);
  const isKnown = Object.entries(facts).every(([field, value]) =>
    isDeepStrictEqual(value, Object.entries(status ?? {}).find(([known]) => known === field)?.[1]),
  );
  if (isKnown) return;
  const now = deps.clock.now();
  try {
    await deps.clients.agents.updateStatus({
      ...agent,
      status: { ...status, ...facts, lastSeenAt: now.toISOString() },
    });
  } catch (error) {
    // The operator wrote in between: the next heartbeat says it again.
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

function factsOf({ version, provisionerType, resources }: HeartbeatRequest) {
  const type = PROVISIONER_TYPES.find((known) => known === provisionerType.toLowerCase());
  const storageGb = resources?.storagePools?.reduce((sum, { totalGb }) => sum + totalGb, 0);
  const size = prune({
    cpu: quantity(resources?.cpuThreads ?? resources?.cpuCores, ''),
    memory: quantity(resources?.memoryTotalMb, 'Mi'),
    storage: quantity(storageGb, 'Gi'),
  });
  return prune({
    version,
    provisionerType: type,
    resources: Object.keys(size).length > 0 ? size : undefined,
  });
}

const quantity = (amount: number | undefined, unit: string): string | undefined =>
  amount === undefined ? undefined : `${amount}${unit}`;

type Pruned<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that are undefined: the API server must not see them, nor may a comparison. */
function prune<T extends object>(object: T): Pruned<T> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Pruned<T>; // the same keys, without the undefined ones
}
