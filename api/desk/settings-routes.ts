/** What a provider wants of every rental: the rules of its Provider object, for those who do not write YAML. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Acceptance, Provider } from '../../crds/provider.ts';
import { AcceptanceRules, AutoAcceptSettings } from '../../crds/wire/desk.ts';
import { isConflict } from '../../kube/error.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { checkIfMatch, etagOf, IfMatchHeaders } from '../http/etag.ts';
import { busy } from '../http/refusals.ts';

type Rules = z.infer<typeof Acceptance>;

export const settingsRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const own = async (request: FastifyRequest): Promise<Provider> => {
    const { metadata } = providerCaller(request).provider;
    const provider = await deps.clients.providers.get({ name: metadata.name });
    if (!provider || provider.metadata.uid !== metadata.uid) throw busy();
    return provider;
  };
  const write = async (provider: Provider, acceptance: Rules): Promise<Provider> => {
    const changed = { ...provider, spec: { ...provider.spec, acceptance } };
    return deps.clients.providers.update(changed).catch((error: unknown) => {
      throw isConflict(error) ? busy() : error;
    });
  };
  const present = (reply: FastifyReply, provider: Provider) => {
    reply.header('etag', etagOf(provider));
    return ok(provider.spec.acceptance);
  };
  const route = { tags: ['provider'], response: answers(AcceptanceRules) };
  const reading = { ...route, summary: 'Your rules for rentals' };
  const ruling = {
    ...route,
    summary: 'Limits of duration, tenants that you want or do not want; what is left out is no rule any more',
    headers: IfMatchHeaders,
    body: AcceptanceRules,
  };
  const accepting = {
    tags: ['provider'],
    summary: 'Accept every rental that fits, or decide on each by hand',
    body: AutoAcceptSettings,
    response: answers(AutoAcceptSettings),
  };

  app.get('/provider/settings/acceptance', { config: PROVIDER, schema: reading }, async (request, reply) =>
    present(reply, await own(request)),
  );
  app.put('/provider/settings/acceptance', { config: PROVIDER, schema: ruling }, async (request, reply) => {
    const provider = await own(request);
    checkIfMatch(provider, request.headers['if-match']);
    return present(reply, await write(provider, request.body));
  });
  app.put('/provider/settings/auto-accept', { config: PROVIDER, schema: accepting }, async (request) => {
    const provider = await own(request);
    const mode = request.body.autoAcceptRentals ? 'Automatic' : 'Manual';
    await write(provider, { ...provider.spec.acceptance, mode });
    return ok(request.body);
  });
};
