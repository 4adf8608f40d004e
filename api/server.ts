/**
 * The Fastify app: what every request goes through before its handler. Order: stopping? → raw body (limit) →
 * signature → JSON → schema → handler; every refusal leaves through `sendProblem`. Listens to nothing itself.
 */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { Problem } from '../crds/problem.ts';
import { authenticate } from './auth/authenticate.ts';
import type { Deps } from './deps.ts';
import { parseJson } from './http/json.ts';
import { sendProblem } from './http/problems.ts';
import { answerUnknownRoutes } from './http/unknown-route.ts';
import { validatorCompiler } from './http/validation.ts';
import { registerRoutes } from './routes.ts';
import { openApi } from './system/openapi.ts';

export const BODY_LIMIT_BYTES = 256 * 1024;
const EMPTY = Buffer.alloc(0);

export type App = FastifyInstance;

export async function createServer(deps: Deps): Promise<App> {
  const logger: FastifyBaseLogger = deps.log;
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    return503OnClosing: false, // answered as a Problem by the hook below
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    requestTimeout: 60_000, // of receiving a request, not of answering it: long polls live
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(sendProblem);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.decorateRequest('rawBody');
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    if (deps.stopping.aborted) {
      reply.header('connection', 'close');
      throw new Problem('ShuttingDown', 'This server is stopping.', {
        next: 'Send the request again; another one answers.',
        retryAfterSeconds: 1,
      });
    }
  });
  app.addHook('preValidation', async (request, reply) => {
    request.rawBody = Buffer.isBuffer(request.body) ? request.body : EMPTY;
    const access = request.routeOptions.config.access;
    if (!access) return; // the routes of Fastify itself: 404 and 405
    if (access.as !== 'Anyone') reply.header('cache-control', 'no-store');
    request.caller = await authenticate(deps, { request, access });
    request.body = parseJson(request.rawBody);
  });
  answerUnknownRoutes(app);
  await openApi(app);
  await app.register(async (scope) => registerRoutes(scope.withTypeProvider<ZodTypeProvider>(), deps));
  return app;
}
