/** Pools of a provider: create, list, read, delete. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { isUsed, NOT_ENDED, tellUses, type Uses, usesOfPool, whatFrees } from '../../crds/in-use.ts';
import { Problem } from '../../crds/problem.ts';
import { AgentView, CreatePoolRequest, PoolView } from '../../crds/wire/pools.ts';
import { isAlreadyExists } from '../../kube/error.ts';
import { presentAgent } from '../agents/present.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Ref } from '../caches.ts';
import type { Deps } from '../deps.ts';
import { answers, created, ok } from '../http/envelope.ts';
import { etagOf } from '../http/etag.ts';
import { PoolPath, ProviderPath } from '../http/params.ts';
import { poolNotFound } from '../http/refusals.ts';
import { nameFrom } from '../names.ts';
import { presentPool } from './present.ts';

const Deleted = z.object({ deleted: z.literal(true).describe('It is gone.') });
const PoolDetail = PoolView.extend({ agentList: z.array(AgentView).describe('Its agents.') });

export const poolRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/pools',
    config: PROVIDER,
    schema: {
      summary: 'Create a pool',
      tags: ['pools'],
      params: ProviderPath,
      body: CreatePoolRequest,
      response: created(PoolView),
    },
    handler: async (request, reply) => {
      const { provider, publicKey } = providerCaller(request);
      const pool = await createPool(deps, { namespace: provider.spec.namespace, wanted: request.body });
      return reply.code(201).send(ok(presentPool(deps, { pool, providerKey: publicKey })));
    },
  });
  app.route({
    method: 'GET',
    url: '/providers/:pk/pools',
    config: PROVIDER,
    schema: {
      summary: 'List your pools with counts of their agents',
      tags: ['pools'],
      params: ProviderPath,
      response: answers(z.array(PoolView)),
    },
    handler: async (request) => {
      const { provider, publicKey } = providerCaller(request);
      const pools = [...deps.caches.pools.inNamespace(provider.spec.namespace)];
      pools.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
      return ok(pools.map((pool) => presentPool(deps, { pool, providerKey: publicKey })));
    },
  });
  app.route({
    method: 'GET',
    url: '/providers/:pk/pools/:poolId',
    config: PROVIDER,
    schema: {
      summary: 'Read one pool and its agents',
      tags: ['pools'],
      params: PoolPath,
      response: answers(PoolDetail),
    },
    handler: async (request, reply) => {
      const { provider, publicKey } = providerCaller(request);
      const ref = { namespace: provider.spec.namespace, name: request.params.poolId };
      const pool = await readPool(deps, ref);
      reply.header('etag', etagOf(pool));
      const agentList = deps.caches.agents.inPool(ref).map((agent) => presentAgent(deps, agent));
      return ok({ ...presentPool(deps, { pool, providerKey: publicKey }), agentList });
    },
  });
  app.route({
    method: 'DELETE',
    url: '/providers/:pk/pools/:poolId',
    config: PROVIDER,
    schema: {
      summary: 'Delete a pool that no agent, no offering and no contract uses',
      tags: ['pools'],
      params: PoolPath,
      response: answers(Deleted),
    },
    handler: async (request) => {
      const { provider } = providerCaller(request);
      await deletePool(deps, { namespace: provider.spec.namespace, name: request.params.poolId });
      return ok({ deleted: true as const });
    },
  });
};

type Wanted = z.infer<typeof CreatePoolRequest>;

async function createPool(
  deps: Deps,
  { namespace, wanted }: Readonly<{ namespace: string; wanted: Wanted }>,
): Promise<AgentPool> {
  const name = nameFrom(wanted.name);
  if (!name)
    throw new Problem('ValidationFailed', 'name: nothing in it can be part of a pool id', {
      next: 'Use at least one letter a-z or digit.',
      extra: { errors: [{ field: 'name', message: 'needs a letter a-z or a digit' }] },
    });
  const spec = {
    displayName: wanted.name,
    location: wanted.location,
    provisionerType: wanted.provisionerType,
    priority: 0,
    lockTTLSeconds: 300,
    paused: false,
  };
  try {
    return await deps.clients.pools.create({ metadata: { namespace, name }, spec });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const there = await deps.clients.pools.get({ namespace, name });
    if (there?.metadata.deletionTimestamp)
      throw new Problem('Conflict', `The pool ${name} was deleted, and is not gone yet.`, {
        next: 'Try again in a moment, or choose another name.',
        cause: error,
      });
    throw new Problem('AlreadyExists', `There is a pool ${name} already.`, {
      next: 'Choose another name.',
      cause: error,
    });
  }
}

export async function readPool(deps: Deps, ref: Ref): Promise<AgentPool> {
  const pool = await deps.clients.pools.get(ref);
  if (!pool || pool.metadata.deletionTimestamp) throw poolNotFound(ref.name);
  return pool;
}

/**
 * Refused while it is used: by agents, offerings or contracts. Live lists, not the cache: an agent that joined a
 * moment ago must not lose its pool. What slips through is kept by the finalizer of the operator.
 */
async function deletePool(deps: Deps, ref: Ref): Promise<void> {
  const { clients } = deps;
  const { namespace } = ref;
  const pool = await clients.pools.get(ref); // one that `kubectl` has deleted is told what it waits for
  if (!pool) throw poolNotFound(ref.name);
  const [agents, offerings, contracts, peers] = await Promise.all([
    clients.agents.list({ namespace, fieldSelector: `spec.poolName=${ref.name}` }),
    clients.offerings.list({ namespace }),
    clients.contracts.list({ namespace, fieldSelector: NOT_ENDED }),
    clients.pools.list({ namespace }),
  ]);
  const uses = usesOfPool(pool, {
    agents: agents.items,
    offerings: offerings.items,
    contracts: contracts.items,
    pools: peers.items,
  });
  const deleted = pool.metadata.deletionTimestamp ? 'was deleted and ' : '';
  if (isUsed(uses))
    throw new Problem('PoolInUse', `Pool ${ref.name} ${deleted}is used by ${tellUses(uses)}.`, {
      next: `${whatFrees('AgentPool', uses)} first.`,
      extra: { data: { using: firstOf(uses) } },
    });
  await clients.pools.delete(ref, { uid: pool.metadata.uid });
}

const USING_MAX = 50;

const firstOf = (uses: Uses): Uses =>
  Object.fromEntries(Object.entries(uses).map(([kind, names]) => [kind, names.slice(0, USING_MAX)]));
