/** 404 for a path that no route has, 405 with `Allow` for a path that only other methods have. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../crds/problem.ts';

/** Remembers the routes as they are added; call it before the first one. */
export function answerUnknownRoutes(app: FastifyInstance): void {
  const routes: { method: string; pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = patternOf(url);
    for (const one of Array.isArray(method) ? method : [method]) routes.push({ method: one, pattern });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    const allowed = [
      ...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)),
    ];
    if (allowed.length === 0)
      throw new Problem('RouteNotFound', `There is nothing at ${path.slice(0, 200)}.`, {
        next: 'See /docs for what there is.',
      });
    reply.header('allow', allowed.join(', '));
    throw new Problem('MethodNotAllowed', `${request.method} is not possible here.`, {
      next: `Use ${allowed.join(' or ')}.`,
    });
  });
}

export const pathOf = (request: FastifyRequest): string => (request.raw.url ?? '/').split('?', 1)[0] ?? '/';

function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+');
  return new RegExp(`^${escaped}$`);
}
