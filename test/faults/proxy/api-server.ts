/**
 * A proxy between our processes and a real API server that injects only what a real network and a real API server
 * do: late, refused and lost requests, lost replies, errors before and after the commit, older lists, watches that
 * break. One rule decides on each request; without a rule all of them pass.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../lib/clock.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import {
  bodyOf,
  commit,
  type Forward,
  headersOfAnswer,
  headersToPass,
  openUpstream,
  type Upstream,
  type WorldClock,
} from './upstream.ts';
import { type LiveWatch, pipeWatch, type WatchBreak, type WatchPlan } from './watch-pipe.ts';

export type { Exchange } from './exchange.ts';
export type { WatchBreak } from './watch-pipe.ts';

export type Fault = Readonly<
  | { type: 'Pass' }
  | { type: 'Delay'; ms: number }
  /** The connection is cut before anything was forwarded. */
  | { type: 'Refuse' }
  /** Not forwarded: 409, 410, 429 (with Retry-After), 500, 503, 504. */
  | { type: 'Answer'; status: number; headers?: Readonly<Record<string, string>>; body?: object }
  /** Forwarded and committed, then the connection is cut. */
  | { type: 'LoseReply' }
  /** Forwarded and committed, answered with an error. */
  | { type: 'AnswerAfterCommit'; status: number }
  /** A LIST of an older moment; of the first list of this resource when no resourceVersion is given. */
  | { type: 'StaleList'; resourceVersion?: string }
  /** Breaks a watch after so many events. */
  | { type: 'Watch'; after: number; then: WatchBreak }
  /** All events of a watch arrive late, in order. */
  | { type: 'WatchLag'; ms: number }
  /** Forwarded; `run` (kill the client, say) with the status of the answer before that is lost or sent. */
  | { type: 'AfterCommit'; run: (status: number) => Promise<void>; reply: 'Lose' | 'Send' }
>;

export type ApiServerProxy = Readonly<{
  /** As the kubeconfig of the API server, by way of the proxy. */
  kubeconfigText: string;
  url: string;
  exchanges: () => readonly Exchange[];
  /** One line for each fault that was injected, in order. */
  injected: () => readonly string[];
  /** Asked once for each request from now on, instead of the rule before. */
  decide: (rule: (exchange: Exchange) => Fault) => void;
  /** Breaks the watches that are open now. */
  breakWatches: (how: WatchBreak, resource?: string) => void;
  close: () => Promise<void>;
}>;

const PASS: Fault = { type: 'Pass' };
const REASONS: Readonly<Record<number, string>> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

type World = {
  readonly upstream: Upstream;
  readonly exchanges: Exchange[];
  readonly injected: string[];
  readonly watches: Set<LiveWatch>;
  /** By resource: what its first list said. */
  readonly firstVersions: Map<string, string>;
  rule: (exchange: Exchange) => Fault;
};

/**
 * `kubeconfigFile` names the API server and a client certificate in it. With a `clock` the API server seems to go by
 * it, and delays are its milliseconds: for worlds that run faster than real time.
 */
export async function openApiServerProxy(
  kubeconfigFile: string,
  { clock }: Readonly<{ clock?: WorldClock }> = {},
): Promise<ApiServerProxy> {
  const upstream = openUpstream(kubeconfigFile, clock);
  const world: World = {
    upstream,
    exchanges: [],
    injected: [],
    watches: new Set(),
    firstVersions: new Map(),
    rule: () => PASS,
  };
  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    serve(world, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listens on TCP, so it is one
  return {
    kubeconfigText: upstream.kubeconfigAt(url),
    url,
    exchanges: () => world.exchanges,
    injected: () => world.injected,
    decide: (rule) => {
      world.rule = rule;
    },
    breakWatches: (how, resource) => {
      for (const watch of [...world.watches]) {
        if (resource !== undefined && watch.resource !== resource) continue;
        world.injected.push(`${how} the open watch of ${watch.resource}`);
        watch.break(how);
      }
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await upstream.dispatcher.destroy();
      await closed;
    },
  };
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const exchange = exchangeOf({
    n: world.exchanges.length + 1,
    client: request.headers['user-agent'] ?? '',
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    body,
  });
  world.exchanges.push(exchange);
  const fault = world.rule(exchange);
  if (fault.type !== 'Pass') world.injected.push(describe(exchange, fault));
  const forward = (path?: string): Promise<void> =>
    exchange.verb === 'watch'
      ? forwardWatch(world, { request, response, exchange, plan: {} })
      : answerFrom(world, { request, response, exchange, body, path });
  switch (fault.type) {
    case 'Pass':
      return forward();
    case 'Delay':
      await (world.upstream.clock ?? systemClock).sleep(fault.ms);
      return forward();
    case 'Refuse':
      return void response.destroy();
    case 'Answer':
      return answer(response, fault);
    case 'StaleList':
      return forward(stalePath(world, exchange, fault.resourceVersion));
    case 'Watch': {
      const plan = { breakAfter: { events: fault.after, how: fault.then } };
      return forwardWatch(world, { request, response, exchange, plan });
    }
    case 'WatchLag':
      return forwardWatch(world, {
        request,
        response,
        exchange,
        plan: { lagMs: fault.ms, ...(world.upstream.clock ? { clock: world.upstream.clock } : {}) },
      });
    case 'LoseReply':
      await commit(world.upstream, { request, exchange, body });
      return void response.destroy();
    case 'AnswerAfterCommit':
      await commit(world.upstream, { request, exchange, body });
      return answer(response, fault);
    case 'AfterCommit': {
      const committed = await commit(world.upstream, { request, exchange, body });
      await fault.run(committed.status);
      if (fault.reply === 'Lose') return void response.destroy();
      response.writeHead(committed.status, committed.headers).end(committed.bytes);
      return;
    }
  }
}

async function answerFrom(world: World, forward: Forward & { response: ServerResponse }): Promise<void> {
  const { exchange, response } = forward;
  const { status, headers, bytes } = await commit(world.upstream, forward);
  if (exchange.verb === 'list' && status === 200 && !world.firstVersions.has(exchange.resource)) {
    const list = JSON.parse(bytes.toString()) as { metadata: { resourceVersion: string } }; // an API server's list
    world.firstVersions.set(exchange.resource, list.metadata.resourceVersion);
  }
  response.writeHead(status, headers).end(bytes);
}

type Watching = Readonly<{
  request: IncomingMessage;
  response: ServerResponse;
  exchange: Exchange;
  plan: WatchPlan;
}>;

async function forwardWatch(world: World, { request, response, exchange, plan }: Watching): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const answered = await world.upstream.dispatcher.request({
    origin: world.upstream.origin,
    path: exchange.path,
    method: 'GET',
    headers: headersToPass(request.headers),
    signal: gone.signal,
  });
  response.writeHead(answered.statusCode, headersOfAnswer(world.upstream, answered.headers));
  response.flushHeaders();
  const { resource } = exchange;
  await pipeWatch(answered.body, response, { plan, resource, live: world.watches });
  answered.body.on('error', () => {}).destroy();
}

function stalePath(world: World, { path, resource }: Exchange, given: string | undefined): string {
  const resourceVersion = given ?? world.firstVersions.get(resource);
  if (resourceVersion === undefined) return path;
  const url = new URL(path, world.upstream.origin);
  if (url.searchParams.has('continue')) return path; // the next page of the same older moment
  url.searchParams.set('resourceVersion', resourceVersion);
  url.searchParams.set('resourceVersionMatch', 'Exact');
  return `${url.pathname}${url.search}`;
}

function answer(
  response: ServerResponse,
  {
    status,
    headers = {},
    body,
  }: { status: number; headers?: Readonly<Record<string, string>>; body?: object },
): void {
  const reason = REASONS[status] ?? 'InternalError';
  const told = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code: status };
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body ?? { ...told, message: `injected ${status} ${reason}` }));
}

function describe({ n, verb, resource, subresource, name }: Exchange, fault: Fault): string {
  const { type, ...how } = fault;
  const target = [resource, subresource].filter(Boolean).join('/');
  return `#${n} ${verb} ${target} ${name ?? ''}: ${type} ${JSON.stringify(how)}`;
}
