/** Providers as everybody sees them, and the one call by which somebody becomes one where that is open. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Problem } from '../../crds/problem.ts';
import type { Provider } from '../../crds/provider.ts';
import { COUNTRY_CODES, REGION_NAMES, REGIONS, regionOfCountry } from '../../crds/regions.ts';
import { CreateProviderRequest, ProviderView, RegionView } from '../../crds/wire/market.ts';
import { isAlreadyExists } from '../../kube/error.ts';
import { ANYONE, keyCaller, TENANT } from '../auth/caller.ts';
import { isReady } from '../auth/identify.ts';
import type { Deps } from '../deps.ts';
import { answers, created, ok } from '../http/envelope.ts';
import { ProviderPath } from '../http/params.ts';

export const providerRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'GET',
    url: '/providers',
    config: ANYONE,
    schema: { summary: 'Who sells here', tags: ['providers'], response: answers(z.array(ProviderView)) },
    handler: async () => {
      const providers = deps.caches.providers.all().filter(isReady);
      return ok(providers.map(presentProvider).sort((a, b) => a.name.localeCompare(b.name)));
    },
  });
  app.route({
    method: 'GET',
    url: '/providers/:pk',
    config: ANYONE,
    schema: {
      summary: 'One provider',
      tags: ['providers'],
      params: ProviderPath,
      response: answers(ProviderView),
    },
    handler: async (request) => {
      const known = deps.caches.providers.byKey(request.params.pk);
      const provider = known.find(isReady) ?? known[0];
      if (provider) return ok(presentProvider(provider));
      throw new Problem('NotFound', 'No provider has this key.', {
        next: 'GET /api/v1/providers lists all.',
      });
    },
  });
  app.route({
    method: 'POST',
    url: '/providers',
    config: TENANT,
    schema: {
      summary: 'Become a provider, where registration is open',
      tags: ['providers'],
      body: CreateProviderRequest,
      response: created(ProviderView),
    },
    handler: async (request, reply) => {
      if (deps.registration === 'Closed')
        throw new Problem('RegistrationClosed', 'Providers are made by the operator of this server.', {
          next: 'Ask the operator to apply a Provider with your public key.',
        });
      const { publicKey } = keyCaller(request);
      const provider = await register(deps, { publicKey, wanted: request.body });
      return reply.code(201).send(ok(presentProvider(provider)));
    },
  });
  app.route({
    method: 'GET',
    url: '/regions',
    config: ANYONE,
    schema: {
      summary: 'The seven regions and their countries',
      tags: ['system'],
      response: answers(z.array(RegionView)),
    },
    handler: async () => ok(REGION_VIEWS),
  });
};

const REGION_VIEWS = REGIONS.map((region) => ({
  region,
  name: REGION_NAMES[region],
  countries: COUNTRY_CODES.filter((code) => regionOfCountry(code) === region),
}));

const presentProvider = (provider: Provider): ProviderView => ({
  name: provider.metadata.name,
  pubkey: provider.spec.publicKey,
  displayName: provider.spec.displayName,
  website: provider.spec.website ?? null,
  ready: isReady(provider),
});

type Registration = Readonly<{ publicKey: string; wanted: z.infer<typeof CreateProviderRequest> }>;

/** The namespace is new and named after the provider: nobody gets hold of one that holds something else. */
async function register(deps: Deps, { publicKey, wanted }: Registration): Promise<Provider> {
  const { name, displayName = wanted.name } = wanted;
  if (/^(kube-|default$|dcmarket)/.test(name)) throw taken('this name', 'the system');
  const there = deps.caches.providers.byKey(publicKey)[0] ?? (await deps.clients.providers.get({ name }));
  if (there?.spec.publicKey === publicKey && there.metadata.name === name) return there;
  if (there) throw taken(there.spec.publicKey === publicKey ? 'this key' : 'this name', there.metadata.name);
  const owner = { 'dcmarket.io/registered-by': publicKey.slice(0, 63) };
  try {
    await deps.clients.namespaces.create({ metadata: { name, labels: owner } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const existing = await deps.clients.namespaces.get({ name });
    const isOurs = existing?.metadata.labels?.['dcmarket.io/registered-by'] === publicKey.slice(0, 63);
    if (!isOurs) throw taken('this name', name); // a half-done registration of the same key goes on
  }
  try {
    const spec = { publicKey, displayName, namespace: name, acceptance: { mode: 'Automatic' as const } };
    return await deps.clients.providers.create({ metadata: { name }, spec });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const raced = await deps.clients.providers.get({ name });
    if (raced?.spec.publicKey === publicKey) return raced;
    throw taken('this name', name);
  }
}

const taken = (what: string, by: string): Problem =>
  new Problem('AlreadyExists', `A provider has ${what} already (${by}).`, {
    next: 'Choose another name, or sign with another key.',
  });
