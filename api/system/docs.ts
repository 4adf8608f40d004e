/** `/openapi.json`, and the page that explains it: one file of ours that loads nothing from anywhere else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { ANYONE } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';

const PAGE = join(import.meta.dirname, 'docs-page.html');

const POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const docsRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app) => {
  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: ANYONE,
    schema: { hide: true },
    handler: async (_request, reply) => {
      const document = JSON.stringify(app.swagger());
      return reply.header('content-type', 'application/json; charset=utf-8').send(document);
    },
  });
  app.route({
    method: 'GET',
    url: '/docs',
    config: ANYONE,
    schema: { hide: true },
    handler: async (_request, reply) =>
      reply
        .header('content-type', 'text/html; charset=utf-8')
        .header('content-security-policy', POLICY)
        .header('referrer-policy', 'no-referrer')
        .send(await readFile(PAGE)),
  });
};
