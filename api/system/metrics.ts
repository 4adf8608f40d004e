/** Prometheus metrics on a port of their own: requests by route and status, and what the facade holds in memory. */
import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { NonceStore } from '../auth/nonces.ts';
import type { WorldKeeper } from '../restore/world.ts';
import type { Wakes } from '../wake.ts';

const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

type Sources = Readonly<{
  registry: Registry;
  nonces: NonceStore;
  wakes: Wakes;
  world: Pick<WorldKeeper, 'now'>;
}>;

/** Adds the facade's own to `registry`; answers the hook that counts the requests of an app. */
export function addFacadeMetrics({
  registry,
  nonces,
  wakes,
  world,
}: Sources): (app: FastifyInstance) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'dcmarket_http_requests_total',
    help: 'Requests that were answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'dcmarket_http_request_seconds',
    help: 'Time until the answer; long polls and streams count their wait.',
    labelNames: ['method', 'route'],
    buckets: BUCKETS,
    registers,
  });
  new Gauge({
    name: 'dcmarket_nonces_remembered',
    help: 'Nonces in the replay window.',
    registers,
    collect() {
      this.set(nonces.size);
    },
  });
  new Gauge({
    name: 'dcmarket_waiting_keys',
    help: 'Keys that long polls and event streams wait for.',
    registers,
    collect() {
      this.set(wakes.size);
    },
  });
  new Gauge({
    name: 'dcmarket_restore_resolving',
    help: '1 while an older etcd that was put back is being resolved: nothing is granted, moved or destroyed.',
    registers,
    collect() {
      this.set(world.now().phase === 'Resolving' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'dcmarket_restore_generation',
    help: 'How often an older etcd was put back.',
    registers,
    collect() {
      this.set(world.now().generation);
    },
  });
  return (app) => {
    app.addHook('onResponse', async (request, reply) => {
      const route = request.routeOptions.url ?? 'unknown';
      requests.inc({ method: request.method, route, status: String(reply.statusCode) });
      seconds.observe({ method: request.method, route }, reply.elapsedTime / 1000);
    });
  };
}

/** Serves /metrics; the caller closes it. */
export async function serveMetrics(
  registry: Registry,
  { host, port }: Readonly<{ host: string; port: number }>,
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
