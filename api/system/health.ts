/**
 * Is the facade alive, and may it be sent requests? Ready means caches that are filled, an API server that
 * answers and clocks that agree to 5 s. PostgreSQL is no part of it: agents go on working while it is down.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { count, instant, publicKey } from '../../crds/fields.ts';
import { Problem } from '../../crds/problem.ts';
import { ANYONE } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';

const SKEW_MAX_MS = 5000;

const Alive = z.object({ status: z.literal('alive') });
const Ready = z.object({
  status: z.literal('ready'),
  clockSkewMs: z.int().nullable().describe("The API server's clock minus ours."),
});
const Keys = z.object({
  installation: z.string().describe('Id of this installation.'),
  keys: z.array(
    z.object({
      kid: z.string(),
      alg: z.literal('ed25519'),
      publicKey: publicKey(),
      use: z.literal('delegation'),
    }),
  ),
});

const WorldView = z.object({
  phase: z
    .enum(['Normal', 'Resolving'])
    .describe(
      'Resolving: a backup of the cluster was put back; nothing is built or destroyed until it is resolved.',
    ),
  generation: count(Number.MAX_SAFE_INTEGER).describe('How often that happened.'),
  since: instant().nullable().describe('When the last one was noticed.'),
  resolvedAt: instant().nullable().describe('When it was resolved.'),
});

export const healthRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: ANYONE,
    schema: { summary: 'Is this process alive', tags: ['system'], response: answers(Alive) },
    handler: async () => ok({ status: 'alive' as const }),
  });
  app.route({
    method: 'GET',
    url: '/readyz',
    config: ANYONE,
    schema: { summary: 'May requests be sent here', tags: ['system'], response: answers(Ready) },
    handler: async () => {
      const { skewMs } = await requireReady(deps);
      return ok({ status: 'ready' as const, clockSkewMs: skewMs ?? null });
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/system/world',
    config: ANYONE,
    schema: {
      summary: 'Whether a restore of the cluster from a backup is being resolved',
      tags: ['system'],
      response: answers(WorldView),
    },
    handler: async () => {
      const { phase, generation, since = null, resolvedAt = null } = deps.world.now();
      return ok({ phase, generation, since, resolvedAt });
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/system/keys',
    config: ANYONE,
    schema: {
      summary: 'Public keys that delegations are signed with',
      tags: ['system'],
      response: answers(Keys),
    },
    handler: async () => {
      const { id, publicKey: key } = await deps.installation();
      const entry = {
        kid: key.slice(0, 16),
        alg: 'ed25519' as const,
        publicKey: key,
        use: 'delegation' as const,
      };
      return ok({ installation: id, keys: [entry] });
    },
  });
};

async function requireReady(deps: Deps): Promise<{ skewMs: number | undefined }> {
  if (!deps.caches.isSynced())
    throw new Problem('NotReady', 'The caches are not filled yet.', { next: 'Try again in a second.' });
  const { reachable, skewMs, detail } = await deps.clusterHealth();
  if (!reachable)
    throw new Problem('ClusterUnavailable', `The Kubernetes API does not answer: ${detail}.`, {
      next: 'Check that the API server runs.',
    });
  if (skewMs !== undefined && Math.abs(skewMs) > SKEW_MAX_MS)
    throw new Problem(
      'NotReady',
      `The clock of this server is ${Math.round(skewMs / 1000)} s off the API server's.`,
      {
        next: 'Set the clocks, for example with NTP.',
      },
    );
  return { skewMs };
}
