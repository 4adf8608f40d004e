/** `/metrics`, `/healthz`, `/readyz` and `/leadz` of the operator, on a port of their own. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

export type HealthSources = Readonly<{
  metrics: () => Promise<Readonly<{ contentType: string; text: string }>>;
  isSynced: () => boolean;
  isLeading: () => boolean;
}>;

type Listen = Readonly<{ host: string; port: number }>;

/** Resolves once it listens; whoever starts it closes it. Rejects when the port is taken. */
export async function startHealth(sources: HealthSources, { host, port }: Listen): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, contentType = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': contentType }).end(text);
    };
    switch (new URL(request.url ?? '/', 'http://localhost').pathname) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz': // a standby is ready: it can take over at once
        return sources.isSynced() ? answer(200, 'ok\n') : answer(503, 'the caches are not filled yet\n');
      case '/leadz':
        return sources.isLeading() ? answer(200, 'leading\n') : answer(503, 'standing by\n');
      case '/metrics':
        void sources.metrics().then(
          ({ contentType, text }) => answer(200, text, contentType),
          (error: unknown) => answer(500, `${String(error)}\n`),
        );
        return;
      default:
        return answer(404, 'there are /metrics, /healthz, /readyz and /leadz\n');
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
