/** A provider's hand on the contracts of its namespace: look in detail, retry what failed, release by force. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Contract } from '../../crds/contract/contract.ts';
import { addForceRelease } from '../../crds/contract/forced.ts';
import { Problem } from '../../crds/problem.ts';
import { DeskContractView, DeskListQuery, ForceReleaseRequest, RetryRequest } from '../../crds/wire/desk.ts';
import { isForbidden } from '../../kube/error.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import { actOn, edit, toSpecChange } from '../contracts/act.ts';
import { findAnywhere } from '../contracts/find.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { IfMatchHeaders } from '../http/etag.ts';
import { ContractPath } from '../http/params.ts';
import { findContract } from '../work/find-contract.ts';
import { ownName } from './own-name.ts';
import { presentForDesk, presentInFull } from './present.ts';

type Asking = FastifyRequest & Readonly<{ params: { id: string } }>;

export const deskRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const whoAmI = ownName(deps.clients);
  const asked = (request: Asking): Promise<Contract> =>
    findContract(deps, { id: request.params.id, namespace: providerCaller(request).provider.spec.namespace });
  const present = (contract: Contract) => presentInFull(deps, { contract, archived: false });
  const route = { tags: ['provider'], params: ContractPath, response: answers(DeskContractView) };

  app.get(
    '/provider/contracts',
    {
      config: PROVIDER,
      schema: {
        tags: ['provider'],
        summary: 'Contracts on your machines, newest first; those in the archive are not listed',
        querystring: DeskListQuery,
        response: answers(z.array(DeskContractView)),
      },
    },
    (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const { phase, limit } = request.query;
      const newest = [...deps.caches.contracts.inNamespace(namespace)]
        .filter(({ status }) => phase === undefined || status?.phase === phase)
        .sort((a, b) => createdMs(b) - createdMs(a))
        .slice(0, limit);
      return ok(newest.map((contract) => presentForDesk(deps, { contract, archived: false })));
    },
  );
  app.get(
    '/provider/contracts/:id',
    { config: PROVIDER, schema: { ...route, summary: 'One of them, with every attempt to build it' } },
    async (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      // As a provider only: what the same key rents elsewhere is another provider's to see in detail.
      const found = await findAnywhere(deps, { id: request.params.id, tenant: 'Nobody', namespace });
      return ok(await presentInFull(deps, found));
    },
  );
  const retrying = {
    ...route,
    summary: 'Try again what failed, while it is not archived',
    headers: IfMatchHeaders,
    body: RetryRequest,
  };
  for (const method of ['POST', 'PUT'] as const)
    app.route({
      method,
      url: '/provider/contracts/:id/retry',
      config: PROVIDER,
      schema: retrying,
      handler: async (request) => {
        const action = { type: 'retry', count: request.body?.count } as const;
        const ifMatch = request.headers['if-match'];
        return ok(await present(await actOn(deps, { contract: await asked(request), ifMatch, action })));
      },
    });
  app.post(
    '/provider/contracts/:id/force-release',
    {
      config: PROVIDER,
      schema: {
        ...route,
        summary: 'Give up a holder that will never confirm that its machine is gone; kept on record',
        body: ForceReleaseRequest,
      },
    },
    async (request) => {
      const { agentUid: agentUID, epoch, reason } = request.body;
      const onBehalfOf = `provider ${providerCaller(request).publicKey}`;
      const wish = { agentUID, epoch, reason, by: await whoAmI(), onBehalfOf };
      const contract = await asked(request);
      const forced = await edit(deps, { contract }, (current) =>
        toSpecChange(current, addForceRelease(current, wish)),
      ).catch((error: unknown) => {
        throw isForbidden(error) ? notAllowedHere(error) : error;
      });
      return ok(await present(forced));
    },
  );
};

const createdMs = ({ metadata }: Contract): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

const notAllowedHere = (cause: unknown): Problem =>
  new Problem('PermissionDenied', 'This server may not release holders by force.', {
    next: 'Ask its operator to grant the facade the verb force-release on contracts, or to do it with kubectl.',
    cause,
  });
