/** `GET /setup` and the bundle that it fetches. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ANYONE } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { bundler } from './bundle.ts';
import { installerScript } from './installer-script.ts';

const PACKAGE = join(import.meta.dirname, '..', '..', 'package.json');
const Package = z.object({ version: z.string() });

export const installerRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const bundle = bundler(deps.agentEntry);
  app.route({
    method: 'GET',
    url: '/setup',
    config: ANYONE,
    schema: { summary: 'The installer of dc-agent, as a shell script', tags: ['system'] },
    handler: async (_request, reply) => {
      const [{ sha256 }, { version }] = await Promise.all([
        bundle(),
        readFile(PACKAGE, 'utf8').then((text) => Package.parse(JSON.parse(text))),
      ]);
      return reply
        .header('content-type', 'text/x-shellscript; charset=utf-8')
        .header('cache-control', 'no-cache')
        .send(installerScript({ apiUrl: deps.publicUrl(), sha256, version }));
    },
  });
  app.route({
    method: 'GET',
    url: '/setup/dc-agent.mjs',
    config: ANYONE,
    schema: { summary: 'dc-agent as one file for Node', tags: ['system'] },
    handler: async (_request, reply) => {
      const { code, sha256 } = await bundle();
      return reply
        .header('content-type', 'text/javascript; charset=utf-8')
        .header('etag', `"${sha256}"`)
        .header('cache-control', 'no-cache')
        .send(code);
    },
  });
};
