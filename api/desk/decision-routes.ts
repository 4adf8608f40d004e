/** What a provider decides about contracts of its namespace: accept or reject a request, pause, resume, end. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Action } from '../../crds/contract/act.ts';
import { DeskContractView, PauseRequest, RespondRequest } from '../../crds/wire/desk.ts';
import { CancelRequest } from '../../crds/wire/market.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import { actAnywhere } from '../contracts/act.ts';
import { findAnywhere } from '../contracts/find.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ContractPath } from '../http/params.ts';
import { presentForDesk } from './present.ts';

type Asking = FastifyRequest & Readonly<{ params: { id: string } }>;

export const decisionRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const perform = async (request: Asking, action: Action) => {
    const { namespace } = providerCaller(request).provider.spec;
    const found = await findAnywhere(deps, { id: request.params.id, tenant: 'Nobody', namespace });
    return ok(presentForDesk(deps, await actAnywhere(deps, { found, action })));
  };
  const route = { tags: ['provider'], params: ContractPath, response: answers(DeskContractView) };
  const responding = { ...route, summary: 'Accept or reject a request', body: RespondRequest };
  const pausing = {
    ...route,
    summary: 'Suspend the machine; the time is credited to its tenant',
    body: PauseRequest,
  };
  const resuming = { ...route, summary: 'Let it go on' };
  const cancelling = { ...route, summary: 'End a contract; there is no way back', body: CancelRequest };

  app.get(
    '/provider/rental-requests',
    {
      config: PROVIDER,
      schema: {
        tags: ['provider'],
        summary: 'Requests that wait for you, oldest first',
        response: answers(z.array(DeskContractView)),
      },
    },
    (request) => {
      const { namespace } = providerCaller(request).provider.spec;
      const waiting = deps.caches.contracts
        .undecidedIn(namespace)
        .toSorted((a, b) =>
          (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''),
        );
      return ok(waiting.map((contract) => presentForDesk(deps, { contract, archived: false })));
    },
  );
  app.post('/provider/rental-requests/:id/respond', { config: PROVIDER, schema: responding }, (request) => {
    const { accept, note, memo } = request.body;
    const verdict = accept ? 'Accept' : 'Reject';
    return perform(request, { type: 'decide', verdict, note: note ?? memo ?? undefined });
  });
  app.put('/provider/contracts/:id/pause', { config: PROVIDER, schema: pausing }, (request) =>
    perform(request, { type: 'pause', reason: request.body?.reason }),
  );
  app.put('/provider/contracts/:id/resume', { config: PROVIDER, schema: resuming }, (request) =>
    perform(request, { type: 'resume' }),
  );
  app.put('/provider/contracts/:id/cancel', { config: PROVIDER, schema: cancelling }, (request) => {
    const note = request.body?.note ?? request.body?.memo ?? undefined;
    return perform(request, { type: 'cancel', by: 'Provider', note });
  });
};
