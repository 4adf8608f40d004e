/** A tenant's contracts: rent, list, read, follow. What it asks of them is in `action-routes.ts`. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { contractIdOf } from '../../crds/contract/contract.ts';
import { Problem } from '../../crds/problem.ts';
import { DeskContractView } from '../../crds/wire/desk.ts';
import { ContractView, ListContractsQuery, RentRequest, RentResponse } from '../../crds/wire/market.ts';
import { keyCaller, TENANT } from '../auth/caller.ts';
import { readyProviderByKey } from '../auth/identify.ts';
import type { Deps } from '../deps.ts';
import { presentInFull } from '../desk/present.ts';
import { connectionSignal } from '../http/connection.ts';
import { nextLink } from '../http/cursor.ts';
import { answers, created, ok } from '../http/envelope.ts';
import { ContractPath } from '../http/params.ts';
import { eventStream } from './events.ts';
import { findAnywhere } from './find.ts';
import { listContracts } from './list.ts';
import { IdempotencyHeaders } from './once.ts';
import { messageOf, presentContract, presentContractInFull } from './present.ts';
import { rent } from './rent.ts';

const STREAMS_PER_KEY_MAX = 64;

const EventHeaders = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,9}$/)
    .optional()
    .describe('Number of the last event that was seen.'),
});

export const contractRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const streams = new Map<string, number>();
  app.route({
    method: 'POST',
    url: '/contracts',
    config: TENANT,
    schema: {
      summary: 'Rent an offering',
      tags: ['contracts'],
      headers: IdempotencyHeaders,
      body: RentRequest,
      response: { ...answers(RentResponse), ...created(RentResponse) },
    },
    handler: async (request, reply) => {
      const { publicKey: tenant, nonce } = keyCaller(request);
      const idempotencyKey = request.headers['idempotency-key'] ?? `nonce:${nonce}`;
      const { contract, outcome } = await rent(deps, { tenant, idempotencyKey, body: request.body });
      const answer: RentResponse = {
        contractId: contractIdOf(contract.metadata.uid ?? ''),
        name: contract.metadata.name,
        phase: contract.status?.phase ?? 'Requested',
        message: messageOf(deps, contract),
      };
      return reply.code(outcome === 'Created' ? 201 : 200).send(ok(answer));
    },
  });
  app.route({
    method: 'GET',
    url: '/contracts',
    config: TENANT,
    schema: {
      summary: 'Your contracts, newest first; pages by the Link header',
      tags: ['contracts'],
      querystring: ListContractsQuery,
      response: answers(z.array(ContractView)),
    },
    handler: async (request, reply) => {
      const { found, next } = await listContracts(deps, {
        tenant: keyCaller(request).publicKey,
        ...request.query,
      });
      if (next) reply.header('link', nextLink(request, next));
      return ok(found.map(({ contract, archived }) => presentContract(deps, contract, { archived })));
    },
  });
  app.route({
    method: 'GET',
    url: '/contracts/:id',
    config: TENANT,
    schema: {
      summary: 'One of your contracts, and why it waits; its provider sees it in detail',
      tags: ['contracts'],
      params: ContractPath,
      response: answers(DeskContractView.partial({ detail: true })),
    },
    handler: async (request, reply) => {
      const { publicKey } = keyCaller(request);
      const { namespace } = readyProviderByKey(deps, publicKey)?.spec ?? {};
      const found = await findAnywhere(deps, { id: request.params.id, tenant: publicKey, namespace });
      reply.header('etag', `"${found.contract.metadata.resourceVersion ?? ''}"`);
      const isSellers = found.contract.metadata.namespace === namespace;
      return ok(
        isSellers ? await presentInFull(deps, found) : presentContractInFull(deps, found.contract, found),
      );
    },
  });
  app.route({
    method: 'GET',
    url: '/contracts/:id/events',
    config: TENANT,
    schema: {
      summary: 'Follow a contract: one server-sent event per move',
      tags: ['contracts'],
      params: ContractPath,
      headers: EventHeaders,
      produces: ['text/event-stream'],
    },
    handler: async (request, reply) => {
      const tenant = keyCaller(request).publicKey;
      const found = await findAnywhere(deps, { id: request.params.id, tenant });
      const open = streams.get(tenant) ?? 0;
      if (open >= STREAMS_PER_KEY_MAX)
        throw new Problem('TooManyRequests', `${open} event streams of this key are open.`, {
          next: 'Close some of them.',
          retryAfterSeconds: 5,
        });
      const afterSeq = Number(request.headers['last-event-id'] ?? 0);
      const signal = connectionSignal(reply, deps.stopping);
      if (!signal.aborted) {
        streams.set(tenant, open + 1);
        signal.addEventListener('abort', () => {
          const left = (streams.get(tenant) ?? 1) - 1;
          if (left > 0) streams.set(tenant, left);
          else streams.delete(tenant);
        });
      }
      return reply
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(eventStream(deps, { found, afterSeq, signal }));
    },
  });
};
