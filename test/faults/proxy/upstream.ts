/** The API server behind the proxy, spoken to with the client certificate of the kubeconfig. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { parse, stringify } from 'yaml';
import type { Clock } from '../../../lib/clock.ts';
import type { Exchange } from './exchange.ts';

/** A clock that may want to wait for real work. */
export type WorldClock = Clock & Readonly<{ begin?: () => () => void }>;

export type Upstream = Readonly<{
  /** Where the world has a clock of its own: of the `Date` in answers, and told of what is under way. */
  clock: WorldClock | undefined;
  dispatcher: Dispatcher;
  origin: string;
  /** The same kubeconfig for somebody who comes in by plain http at `url`. */
  kubeconfigAt: (url: string) => string;
}>;

/** The file names one API server, and holds a client certificate for it. */
export function openUpstream(kubeconfigFile: string, clock: Upstream['clock']): Upstream {
  const config = parse(readFileSync(kubeconfigFile, 'utf8'));
  const { server, 'certificate-authority-data': authority } = config.clusters[0].cluster;
  const { 'client-certificate-data': certificate, 'client-key-data': key } = config.users[0].user;
  const [ca, cert, secret] = [authority, certificate, key].map((base64) => Buffer.from(base64, 'base64'));
  return {
    clock,
    dispatcher: new Agent({
      connections: 256,
      connect: { ca, cert, key: secret },
      headersTimeout: 0,
      bodyTimeout: 0,
    }),
    origin: server,
    kubeconfigAt: (url) => {
      // The client library wants the second one said for plain http.
      config.clusters[0].cluster = { server: url, 'insecure-skip-tls-verify': true };
      config.users[0].user = {};
      return stringify(config);
    },
  };
}

export type Forward = Readonly<{
  request: IncomingMessage;
  exchange: Exchange;
  body: Buffer;
  path?: string | undefined;
}>;
export type Committed = Readonly<{ status: number; headers: Record<string, string>; bytes: Buffer }>;

/** Carried out by the API server, whatever becomes of the reply. */
export async function commit(
  upstream: Upstream,
  { request, exchange, body, path }: Forward,
): Promise<Committed> {
  const over = upstream.clock?.begin?.();
  try {
    const answered = await upstream.dispatcher.request({
      origin: upstream.origin,
      path: path ?? exchange.path,
      method: exchange.method as Dispatcher.HttpMethod, // it came in as one
      headers: headersToPass(request.headers),
      body: body.length > 0 ? body : null,
    });
    const bytes = Buffer.from(await answered.body.arrayBuffer());
    return { status: answered.statusCode, headers: headersOfAnswer(upstream, answered.headers), bytes };
  } finally {
    over?.();
  }
}

export function headersOfAnswer(
  { clock }: Pick<Upstream, 'clock'>,
  headers: Dispatcher.ResponseData['headers'],
): Record<string, string> {
  return { ...headersToPass(headers), ...(clock ? { date: clock.now().toUTCString() } : {}) };
}

/** What belongs to one hop stays there. */
const OF_ONE_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'host',
  'authorization',
]);

export function headersToPass(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || OF_ONE_HOP.has(name) ? [] : [[name, String(value)]],
    ),
  );
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
