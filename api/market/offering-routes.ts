/** The public shop window: offerings by filter, word and page; no account needed. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { regionsOf, typesOf } from '../../crds/contract/eligibility.ts';
import { name } from '../../crds/fields.ts';
import { wayOf } from '../../crds/offering-way.ts';
import { ListOfferingsQuery, OfferingView } from '../../crds/wire/market.ts';
import { ANYONE } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { decodeCursor, encodeCursor, nextLink } from '../http/cursor.ts';
import { answers, ok } from '../http/envelope.ts';
import {
  findOffering,
  offeringIdOf,
  onlineCounter,
  presentOffering,
  type Sold,
  soldBy,
} from './offering-view.ts';

type Query = z.infer<typeof ListOfferingsQuery>;

export const offeringRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const shelf = shelfOf(deps);
  app.route({
    method: 'GET',
    url: '/offerings',
    config: ANYONE,
    schema: {
      summary: 'What can be rented; pages by the Link header',
      tags: ['offerings'],
      querystring: ListOfferingsQuery,
      response: answers(z.array(OfferingView)),
    },
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const after = cursor === undefined ? '' : (decodeCursor(cursor, 1)[0] ?? '');
      const found = shelf().filter(
        (sold) => offeringIdOf(sold.offering) > after && fits(sold, request.query),
      );
      const page = found.slice(0, limit);
      const last = page.at(-1);
      if (found.length > limit && last)
        reply.header('link', nextLink(request, encodeCursor([offeringIdOf(last.offering)])));
      const onlineOf = onlineCounter(deps);
      const answer = ok(page.map((sold) => presentOffering(sold, onlineOf)));
      return withEtag(answer, { request, reply });
    },
  });
  app.route({
    method: 'GET',
    url: '/offerings/:id',
    config: ANYONE,
    schema: {
      summary: 'One offering, by uid or by a name that is unique',
      tags: ['offerings'],
      params: z.object({ id: z.string().min(1).max(200).describe('Uid, name, or namespace/name encoded.') }),
      response: answers(OfferingView),
    },
    handler: async (request, reply) => {
      const answer = ok(presentOffering(findOffering(deps, request.params.id), onlineCounter(deps)));
      return withEtag(answer, { request, reply });
    },
  });
  app.route({
    method: 'GET',
    url: '/offerings/:namespace/:name',
    config: ANYONE,
    schema: {
      summary: 'One offering, by namespace/name',
      tags: ['offerings'],
      params: z.object({
        namespace: name().describe('Namespace of the provider.'),
        name: name().describe('Name.'),
      }),
      response: answers(OfferingView),
    },
    handler: async (request, reply) => {
      const { namespace, name: offering } = request.params;
      const sold = findOffering(deps, `${namespace}/${offering}`);
      return withEtag(ok(presentOffering(sold, onlineCounter(deps))), { request, reply });
    },
  });
};

/** Everything that is listed, in order; sorted anew only after an offering has changed. */
function shelfOf(deps: Deps): () => readonly Sold[] {
  let version: number | undefined;
  let sorted: readonly Sold['offering'][] = [];
  return () => {
    const current = deps.caches.offerings.version();
    if (current !== version) {
      sorted = deps.caches.offerings
        .all()
        .filter(({ spec }) => spec.visibility === 'Public')
        .sort((a, b) => (offeringIdOf(a) < offeringIdOf(b) ? -1 : 1));
      version = current;
    }
    return sorted.flatMap((offering) => soldBy(deps, offering) ?? []);
  };
}

/** Of a region and a type: whether it may be built there, and with that. */
function fits({ offering: { spec, metadata }, provider }: Sold, query: Query): boolean {
  const { country, region, provisionerType, maxPriceMinor, q } = query;
  if (country !== undefined && spec.country !== country.toUpperCase()) return false;
  const way = wayOf(spec);
  const isElsewhere = region !== undefined && !(way && regionsOf(way).includes(region));
  if (isElsewhere) return false;
  const type = provisionerType?.toLowerCase();
  if (type !== undefined && !typesOf(spec).some((known) => known === type)) return false;
  if (maxPriceMinor !== undefined && spec.price.amountMinor > maxPriceMinor) return false;
  if (
    query.provider !== undefined &&
    ![provider.metadata.name, provider.spec.publicKey].includes(query.provider)
  )
    return false;
  const text = `${spec.title} ${spec.description ?? ''} ${metadata.name}`.toLowerCase();
  return (q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Answers 304 to a client that has this very answer already. */
function withEtag<T>(answer: T, { request, reply }: { request: FastifyRequest; reply: FastifyReply }): T {
  const etag = `"${createHash('sha256').update(JSON.stringify(answer)).digest('base64url').slice(0, 22)}"`;
  reply.header('etag', etag).header('cache-control', 'no-cache');
  if (request.headers['if-none-match'] === etag) void reply.code(304);
  return answer;
}
