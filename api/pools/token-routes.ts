/** Setup tokens: the secret leaves once, in the answer that makes it; what is stored is its SHA-256. */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { LABEL } from '../../crds/group.ts';
import { Problem } from '../../crds/problem.ts';
import type { SetupToken } from '../../crds/setup-token.ts';
import { CreatedSetupToken, CreateSetupTokenRequest, SetupTokenView } from '../../crds/wire/pools.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, created, ok } from '../http/envelope.ts';
import { PoolPath, PoolTokenPath, TokenPath } from '../http/params.ts';
import { presentToken } from './present.ts';
import { readPool } from './routes.ts';

const HOUR_MS = 3_600_000;
const PREFIX_SHOWN = 8;
const Deleted = z.object({ deleted: z.literal(true).describe('It works no more.') });

export const secretHash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export const tokenRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/providers/:pk/pools/:poolId/setup-tokens',
    config: PROVIDER,
    schema: {
      summary: 'Make a ticket for one new agent; the secret is shown this once',
      tags: ['setup tokens'],
      params: PoolPath,
      body: CreateSetupTokenRequest.nullish(),
      response: created(CreatedSetupToken),
    },
    handler: async (request, reply) => {
      const { namespace } = providerCaller(request).provider.spec;
      const { label, expiresInHours = 24 } = request.body ?? {};
      const ref = { namespace, name: request.params.poolId };
      const token = await createToken(deps, { ref, label, expiresInHours });
      return reply.code(201).send(ok(token));
    },
  });
  app.route({
    method: 'GET',
    url: '/providers/:pk/pools/:poolId/setup-tokens',
    config: PROVIDER,
    schema: {
      summary: 'List the setup tokens of a pool, without their secrets',
      tags: ['setup tokens'],
      params: PoolPath,
      response: answers(z.array(SetupTokenView)),
    },
    handler: async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const ref = { namespace, name: request.params.poolId };
      await readPool(deps, ref);
      const { items } = await deps.clients.tokens.list({
        namespace,
        fieldSelector: `spec.poolName=${ref.name}`,
      });
      return ok(items.map(presentToken));
    },
  });
  const deletion = {
    method: 'DELETE' as const,
    config: PROVIDER,
    handler: async (namespace: string, idOrSecret: string) => {
      await deleteToken(deps, { namespace, idOrSecret });
      return ok({ deleted: true as const });
    },
  };
  const schema = {
    summary: 'Delete a setup token, by its id or its secret',
    tags: ['setup tokens'],
    response: answers(Deleted),
  };
  app.route({
    ...deletion,
    url: '/providers/:pk/setup-tokens/:tokenId',
    schema: { ...schema, params: TokenPath },
    handler: (request) =>
      deletion.handler(providerCaller(request).provider.spec.namespace, request.params.tokenId),
  });
  app.route({
    ...deletion,
    url: '/providers/:pk/pools/:poolId/setup-tokens/:tokenId',
    schema: { ...schema, params: PoolTokenPath },
    handler: (request) =>
      deletion.handler(providerCaller(request).provider.spec.namespace, request.params.tokenId),
  });
};

type NewToken = Readonly<{
  ref: Readonly<{ namespace: string; name: string }>;
  label: string | undefined;
  expiresInHours: number;
}>;

async function createToken(deps: Deps, { ref, label, expiresInHours }: NewToken): Promise<CreatedSetupToken> {
  const pool = await readPool(deps, ref);
  const start = `apt_${pool.spec.location}_`;
  const secret = `${start}${randomBytes(16).toString('hex')}`;
  const expiresAt = new Date(deps.clock.now().getTime() + expiresInHours * HOUR_MS).toISOString();
  const token = await deps.clients.tokens.create({
    metadata: {
      namespace: ref.namespace,
      name: `token-${randomBytes(6).toString('hex')}`,
      labels: { [LABEL.pool]: ref.name },
    },
    spec: {
      poolName: ref.name,
      ...(label ? { label } : {}),
      secretSHA256: secretHash(secret),
      prefix: secret.slice(0, start.length + PREFIX_SHOWN),
      expiresAt,
    },
  });
  return {
    token: secret,
    tokenId: token.metadata.name,
    poolId: ref.name,
    label: label ?? null,
    expiresAt,
    setupCommand: `curl -sSf ${deps.publicUrl()}/setup | sh -s -- --token ${secret}`,
  };
}

type Deletion = Readonly<{ namespace: string; idOrSecret: string }>;

async function deleteToken(deps: Deps, { namespace, idOrSecret }: Deletion): Promise<void> {
  const token = await findToken(deps, { namespace, idOrSecret });
  if (!token)
    throw new Problem('SetupTokenNotFound', 'This provider has no such setup token.', {
      next: 'List the tokens of the pool for their ids.',
    });
  const { name, uid } = token.metadata;
  await deps.clients.tokens.delete({ namespace, name }, { uid });
}

async function findToken(deps: Deps, { namespace, idOrSecret }: Deletion): Promise<SetupToken | undefined> {
  if (!idOrSecret.startsWith('apt_'))
    return /^[a-z0-9-]{1,63}$/.test(idOrSecret)
      ? deps.clients.tokens.get({ namespace, name: idOrSecret })
      : undefined;
  const query = { namespace, fieldSelector: `spec.secretSHA256=${secretHash(idOrSecret)}` };
  return (await deps.clients.tokens.list(query)).items[0];
}
