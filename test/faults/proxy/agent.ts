/**
 * What stands between agents (and tenants) and the facades: a load balancer that loses requests or replies, sends
 * one twice, or sends it late. It passes bytes and signatures on as they are, so facades must take its authority
 * for theirs (PUBLIC_AUTHORITIES).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { type FacadeCall, facadeCallOf } from './facade-call.ts';
import { bodyOf, headersToPass } from './upstream.ts';

export type CallFault = Readonly<
  | { type: 'Pass' }
  /** On its way to the facade. */
  | { type: 'Delay'; ms: number }
  /** The connection is cut before anything was forwarded. */
  | { type: 'LoseRequest' }
  /** Forwarded and answered, then the connection is cut. */
  | { type: 'LoseReply' }
  /** The same bytes arrive a second time, so much after the first was answered. */
  | { type: 'Duplicate'; afterMs: number }
  /** Not forwarded: what a load balancer says without a healthy facade, e.g. 502 or 503. */
  | { type: 'Answer'; status: number }
  /** Forwarded and answered; `run` (kill the client, say) before the reply is lost or sent. */
  | { type: 'AfterAnswer'; run: () => Promise<void>; reply: 'Lose' | 'Send' }
>;

/** What a request that was sent twice was answered the second time. */
export type Repeat = Readonly<{ call: FacadeCall; first: number; second: number }>;

export type AgentProxy = Readonly<{
  url: string;
  /** host:port that clients sign for. */
  authority: string;
  calls: () => readonly FacadeCall[];
  repeats: () => readonly Repeat[];
  /** Asked once for each request from now on, instead of the rule before. */
  decide: (rule: (call: FacadeCall) => CallFault) => void;
  /** Base URLs of the facades that are up; each request goes to the next one. */
  setFacades: (urls: readonly string[]) => void;
  close: () => Promise<void>;
}>;

type World = {
  readonly clock: Clock;
  readonly upstream: Dispatcher;
  readonly calls: FacadeCall[];
  readonly repeats: Repeat[];
  facades: readonly string[];
  turn: number;
  rule: (call: FacadeCall) => CallFault;
};

/** Delays are milliseconds of `clock`. */
export async function openAgentProxy(clock: Clock = systemClock): Promise<AgentProxy> {
  const world: World = {
    clock,
    upstream: new Agent({ connections: 256, headersTimeout: 0, bodyTimeout: 0 }),
    calls: [],
    repeats: [],
    facades: [],
    turn: 0,
    rule: () => ({ type: 'Pass' }),
  };
  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    serve(world, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`; // listens on TCP, so it is one
  return {
    url: `http://${authority}`,
    authority,
    calls: () => world.calls,
    repeats: () => world.repeats,
    decide: (rule) => {
      world.rule = rule;
    },
    setFacades: (urls) => {
      world.facades = urls;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await world.upstream.destroy();
      await closed;
    },
  };
}

type Serving = Readonly<{ request: IncomingMessage; response: ServerResponse; body: Buffer }>;
type Answered = Readonly<{ status: number; headers: Record<string, string>; bytes: Buffer }>;

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const serving = { request, response, body };
  const call = facadeCallOf({
    n: world.calls.length + 1,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    signatureInput: String(request.headers['signature-input'] ?? ''),
    body,
  });
  world.calls.push(call);
  const fault = world.rule(call);
  switch (fault.type) {
    case 'Pass':
      return send(response, await forward(world, serving));
    case 'Delay':
      await world.clock.sleep(fault.ms);
      return send(response, await forward(world, serving));
    case 'LoseRequest':
      return void response.destroy();
    case 'LoseReply':
      await forward(world, serving);
      return void response.destroy();
    case 'Duplicate': {
      const first = await forward(world, serving);
      send(response, first);
      await world.clock.sleep(fault.afterMs);
      const second = await forward(world, serving);
      world.repeats.push({ call, first: first.status, second: second.status });
      return;
    }
    case 'Answer':
      response.writeHead(fault.status, { 'content-type': 'text/html' });
      return void response.end('<html>no facade is there</html>');
    case 'AfterAnswer': {
      const answered = await forward(world, serving);
      await fault.run();
      if (fault.reply === 'Lose') return void response.destroy();
      return send(response, answered);
    }
  }
}

/** To the next facade; a facade that refuses the connection is passed over once, as a balancer would. */
async function forward(world: World, serving: Serving): Promise<Answered> {
  try {
    return await forwardOnce(world, serving);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) throw error;
    return forwardOnce(world, serving);
  }
}

async function forwardOnce(world: World, { request, response, body }: Serving): Promise<Answered> {
  const origin = world.facades[world.turn++ % world.facades.length];
  if (origin === undefined)
    return { status: 503, headers: { 'retry-after': '1' }, bytes: Buffer.from('no facade') };
  const gone = new AbortController();
  response.once('close', () => gone.abort()); // whoever waited for it has left
  const answered = await world.upstream.request({
    origin,
    path: request.url ?? '/',
    method: (request.method ?? 'GET') as Dispatcher.HttpMethod, // it came in as one
    headers: { ...headersToPass(request.headers), host: request.headers.host ?? '' },
    body: body.length > 0 ? body : null,
    signal: response.writableEnded ? null : gone.signal, // a late duplicate has nobody who waits
  });
  const bytes = Buffer.from(await answered.body.arrayBuffer());
  return { status: answered.statusCode, headers: headersToPass(answered.headers), bytes };
}

function send(response: ServerResponse, { status, headers, bytes }: Answered): void {
  if (!response.destroyed) response.writeHead(status, headers).end(bytes);
}
