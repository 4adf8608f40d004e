/**
 * One exchange with the API server: credentials, deadline, error, observation. A 429 was not carried out, so it
 * is sent again after its Retry-After; a GET whose pooled connection had died is sent once more. Nothing else is
 * ever repeated here: whoever writes must look again first.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { withDeadline } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { SkewEstimate } from './clock-skew.ts';
import type { Connection } from './connection.ts';
import { errorFromStatus, errorFromTransport, isTooManyRequests, KubeError } from './error.ts';
import type { Observe } from './observation.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type CallOptions = Readonly<{
  signal?: AbortSignal | undefined;
  /** Instead of the client's `requestTimeoutMs`; covers the tries after a 429 each anew. */
  timeoutMs?: number | undefined;
}>;

export type RawRequest = CallOptions &
  Readonly<{
    method: Method;
    /** Begins with a slash; without the query. */
    path: string;
    query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
    /** Sent as JSON. */
    body?: unknown;
    contentType?: string | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    /** What a 429 becomes; `Wait` by default. */
    onBusy?: 'Wait' | 'Throw' | undefined;
  }>;

export type RawAnswer = Readonly<{ status: number; headers: IncomingHttpHeaders; body: unknown }>;

export type StreamRequest = Readonly<{
  path: string;
  query?: RawRequest['query'];
  signal?: AbortSignal | undefined;
  /** Until the headers are there. */
  timeoutMs?: number | undefined;
  /** Longest silence between two chunks; then the stream throws KubeError `Stalled`. */
  stallMs: number;
}>;

export type Transport = Readonly<{
  connection: Connection;
  clock: Clock;
  observe: Observe;
  skew: SkewEstimate;
  requestTimeoutMs: number;
  userAgent: string;
}>;

const BUSY_TRIES_MAX = 4;
const BUSY_DEFAULT_MS = 1000;

/** Throws KubeError for every answer from 400 up and for every failure to get one; the reason of `signal` when aborted. */
export async function exchange(transport: Transport, request: RawRequest): Promise<RawAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exchangeOnce(transport, request);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      const isBusy = isTooManyRequests(error) && request.onBusy !== 'Throw' && attempt < BUSY_TRIES_MAX;
      const isLostRead = error.reason === 'ConnectionLost' && request.method === 'GET' && attempt === 1;
      if (!isBusy && !isLostRead) throw error;
      if (isBusy) {
        const waitMs = (error.retryAfterMs ?? BUSY_DEFAULT_MS) * (1 + Math.random() / 4);
        await transport.clock.sleep(waitMs, { signal: request.signal });
      }
    }
  }
}

async function exchangeOnce(transport: Transport, request: RawRequest): Promise<RawAnswer> {
  const { method, path, signal, timeoutMs = transport.requestTimeoutMs } = request;
  const what = `${method} ${path}`;
  const deadline = withDeadline(signal, timeoutMs);
  const sent = await send(transport, { request, what, callerSignal: signal, signal: deadline, stallMs: 0 });
  try {
    const text = await sent.body.text();
    const body = parseBody(text, sent.headers['content-type']);
    if (sent.statusCode >= 400) throw refusal(transport, { what, sent, body });
    return { status: sent.statusCode, headers: sent.headers, body };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw errorFromTransport(what, error);
  }
}

/** Resolves once the headers are there. The iterator throws KubeError, or the reason of `signal`. */
export async function openStream(
  transport: Transport,
  request: StreamRequest,
): Promise<AsyncIterable<Uint8Array>> {
  const { path, query, signal, stallMs } = request;
  const what = `WATCH ${path}`;
  const sent = await send(transport, {
    request: { method: 'GET', path, query },
    what,
    callerSignal: signal,
    signal,
    stallMs,
    headersMs: request.timeoutMs ?? transport.requestTimeoutMs,
  });
  if (sent.statusCode >= 400) {
    const body = parseBody(await sent.body.text(), sent.headers['content-type']);
    throw refusal(transport, { what, sent, body });
  }
  return readStream(sent.body, { what, signal });
}

async function* readStream(
  body: AsyncIterable<Uint8Array>,
  { what, signal }: { what: string; signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw errorFromTransport(what, error);
  }
}

type Sending = Readonly<{
  request: RawRequest;
  what: string;
  callerSignal: AbortSignal | undefined;
  signal: AbortSignal | undefined;
  /** 0: no limit of its own, the signal is the deadline. */
  stallMs: number;
  headersMs?: number;
}>;

async function send(transport: Transport, sending: Sending): Promise<Dispatcher.ResponseData> {
  const { connection, clock, observe, skew } = transport;
  const { request, what, signal, callerSignal } = sending;
  const startedMs = clock.monotonicMs();
  const finished = (code: string): void =>
    observe({
      type: 'RequestFinished',
      method: request.method,
      host: connection.host,
      code,
      durationMs: clock.monotonicMs() - startedMs,
    });
  try {
    callerSignal?.throwIfAborted();
    const credentials = await connection.credentials();
    const sentAtMs = clock.now().getTime();
    const answering = credentials.dispatcher.request({
      origin: connection.origin,
      path: `${connection.pathPrefix}${request.path}${queryString(request.query)}`,
      method: request.method,
      headers: headersFor(transport, { request, credentials: credentials.headers }),
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: signal ?? null,
      headersTimeout: sending.headersMs ?? 0,
      bodyTimeout: sending.stallMs,
    });
    const opening = sending.headersMs === undefined ? signal : withDeadline(signal, sending.headersMs);
    const answer = await orAborted(answering, opening);
    const dateHeader = one(answer.headers['date']);
    skew.learn({ dateHeader, sentAtMs, receivedAtMs: clock.now().getTime() });
    for (const warning of many(answer.headers['warning']))
      observe({ type: 'ServerWarned', request: what, warning });
    finished(String(answer.statusCode));
    return answer;
  } catch (error) {
    finished('<error>');
    if (callerSignal?.aborted) throw callerSignal.reason;
    throw errorFromTransport(what, error);
  }
}

/**
 * undici looks at the signal of a request only once it has a connection: while one is being made, or while all are
 * in use, an aborted request would wait on. An answer that comes after all is thrown away.
 */
function orAborted(
  answering: Promise<Dispatcher.ResponseData>,
  signal: AbortSignal | undefined,
): Promise<Dispatcher.ResponseData> {
  if (!signal) return answering;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason);
      answering.then(
        ({ body }) => body.on('error', () => {}).destroy(),
        () => {}, // already told
      );
    };
    signal.addEventListener('abort', onAbort, { once: true });
    answering.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}

function headersFor(
  { userAgent }: Transport,
  { request, credentials }: { request: RawRequest; credentials: Readonly<Record<string, string>> },
): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': userAgent,
    ...credentials,
  };
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
  return { ...headers, ...request.headers };
}

function refusal(
  { connection }: Transport,
  { what, sent, body }: { what: string; sent: Dispatcher.ResponseData; body: unknown },
): KubeError {
  if (sent.statusCode === 401) connection.refused();
  const seconds = Number(one(sent.headers['retry-after']));
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  return errorFromStatus(what, { status: sent.statusCode, body, retryAfterMs });
}

function parseBody(text: string, contentType: string | string[] | undefined): unknown {
  return text !== '' && one(contentType)?.startsWith('application/json') ? JSON.parse(text) : text;
}

function queryString(query: RawRequest['query']): string {
  if (!query) return '';
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (given.length === 0) return '';
  return `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;
const many = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
