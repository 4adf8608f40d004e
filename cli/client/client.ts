/**
 * Calls the API as a tenant or provider: signs, retries what is safe to repeat, and turns every refusal into a
 * Failure that says what is wrong and what to do. Each try is signed anew, since a nonce counts once; what makes
 * a repeated POST safe is its Idempotency-Key, which stays the same.
 */
import { z } from 'zod';
import { isAbort } from '../../lib/abort.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { signRequest } from '../../lib/signature/sign.ts';
import { Failure } from '../failure.ts';
import { networkFailure, refusal } from './refusal.ts';

export type ApiRequest = Readonly<{
  method: string;
  /** From the root, e.g. `/api/v1/contracts`. */
  path: string;
  query?: Readonly<Record<string, string | number | undefined>> | undefined;
  /** Sent as JSON. */
  body?: unknown;
  idempotencyKey?: string | undefined;
  /** ETag of what was read: refused when it has changed since. */
  ifMatch?: string | undefined;
  /** Safe: a network error, 429 and 503 are tried again. The default for GET and with an Idempotency-Key. */
  retry?: 'Safe' | 'Never' | undefined;
  accept?: string | undefined;
  signal?: AbortSignal | undefined;
}>;

export type Api = Readonly<{
  /** Public key of the caller; part of the paths of a provider. Undefined for who does not sign. */
  publicKey: string | undefined;
  /** The answer as it came, refusals too. Throws a Network failure. Reading the body is under no deadline. */
  send: (request: ApiRequest) => Promise<Response>;
  /** `data` of a success. Throws Refused and Network failures. */
  call: <T extends z.ZodType>(data: T, request: ApiRequest) => Promise<z.output<T>>;
  /** `data` of every page, at most `ITEMS_MAX` items. */
  list: <T extends z.ZodType>(item: T, request: ApiRequest) => Promise<z.output<T>[]>;
}>;

export type ApiOptions = Readonly<{
  url: URL;
  /** Undefined: calls that need no signature. */
  seed: string | undefined;
  publicKey: string | undefined;
  clock: Clock;
  signal: AbortSignal;
}>;

export const ITEMS_MAX = 2_000;
const PAGE = 200;
const ANSWER_WITHIN_MS = 30_000;
const TRIES_MAX = 4;
const BETWEEN_TRIES = { firstMs: 200, maxMs: 2_000, factor: 2, jitter: 0.3 } as const;
const RETRY_AFTER_MAX_SECONDS = 10;

export function createApi(options: ApiOptions): Api {
  const send = (request: ApiRequest): Promise<Response> => sendRetrying(options, request);
  const call = async <T extends z.ZodType>(data: T, request: ApiRequest): Promise<z.output<T>> =>
    readAnswer(await send(request), data);
  return {
    publicKey: options.publicKey,
    send,
    call,
    list: async (item, request) => {
      const items: z.output<typeof item>[] = [];
      let page: ApiRequest | undefined = { ...request, query: { limit: PAGE, ...request.query } };
      while (page && items.length < ITEMS_MAX) {
        const response: Response = await send(page);
        items.push(...(await readAnswer(response, z.array(item))));
        page = nextPage(page, response.headers.get('link'));
      }
      return items.slice(0, ITEMS_MAX);
    },
  };
}

async function sendRetrying(options: ApiOptions, request: ApiRequest): Promise<Response> {
  const isSafe = request.method === 'GET' || request.idempotencyKey !== undefined;
  const tries = (request.retry ?? (isSafe ? 'Safe' : 'Never')) === 'Safe' ? TRIES_MAX : 1;
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt + 1 >= tries;
    let waitMs = backoffMs(attempt, BETWEEN_TRIES);
    try {
      const response = await sendOnce(options, request);
      if (isLast || (response.status !== 429 && response.status !== 503)) return response;
      waitMs = retryAfterMs(response) ?? waitMs;
      await response.body?.cancel();
    } catch (error) {
      if (isLast || !(error instanceof Failure) || error.kind !== 'Network') throw error;
    }
    await options.clock.sleep(waitMs, { signal: request.signal ?? options.signal });
  }
}

async function sendOnce(
  { url: base, seed, clock, signal }: ApiOptions,
  request: ApiRequest,
): Promise<Response> {
  const { method, path, query = {}, body, idempotencyKey, ifMatch, accept = 'application/json' } = request;
  const url = addressOf(base, { path, query });
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const signed =
    seed === undefined ? {} : await signRequest({ method, url, body: bytes }, { seed, now: clock.now() });
  const stopped = request.signal ?? signal;
  // The deadline is for the answer to begin; a stream of events may then last as long as it likes.
  const silence = new AbortController();
  const timer = clock.after(ANSWER_WITHIN_MS, () =>
    silence.abort(new DOMException(`no answer within ${ANSWER_WITHIN_MS / 1000} s`, 'TimeoutError')),
  );
  try {
    return await fetch(url.href, {
      method,
      headers: {
        accept,
        ...(bytes ? { 'content-type': 'application/json' } : {}),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...signed,
      },
      ...(bytes ? { body: bytes } : {}),
      redirect: 'manual', // the API has none, and a signature is for one address
      signal: AbortSignal.any([stopped, silence.signal]),
    });
  } catch (error) {
    if (isAbort(error, stopped)) throw error;
    throw networkFailure(error, base);
  } finally {
    timer.cancel();
  }
}

type Address = Readonly<{ path: string; query: NonNullable<ApiRequest['query']> }>;

function addressOf(base: URL, { path, query }: Address): URL {
  const url = path.startsWith('/') && URL.canParse(path, base.href) ? new URL(path, base) : undefined;
  if (url?.origin !== base.origin)
    throw new Failure('Usage', `${path} is not a path of ${base.origin}`, {
      next: 'Begin it with one slash, e.g. /api/v1/contracts.',
    });
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

/** `data` of a success, in the given shape. Throws Refused and Network failures. */
export async function readAnswer<T extends z.ZodType>(response: Response, data: T): Promise<z.output<T>> {
  const text = await textOf(response);
  if (!response.ok) throw refusal(response, text);
  const envelope = z.object({ data: z.unknown() }).safeParse(parseJson(text));
  const parsed = data.safeParse(envelope.data?.data);
  if (envelope.success && parsed.success) return parsed.data;
  throw new Failure('Refused', `the answer of ${response.url} is not what this version of dcm expects`, {
    next: 'Check that --api-url is a dcmarket API, and that dcm and server are of the same version.',
    cause: envelope.error ?? parsed.error,
  });
}

async function textOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw networkFailure(error, new URL(response.url));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told apart by the schema, which wants an object
  }
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0
    ? Math.min(seconds, RETRY_AFTER_MAX_SECONDS) * 1000
    : undefined;
}

/** RFC 8288. Only the path counts: the server may know itself by another name than we do. */
function nextPage(request: ApiRequest, link: string | null): ApiRequest | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, 'http://relative')) return undefined;
  const { pathname, searchParams } = new URL(target, 'http://relative');
  return { ...request, path: pathname, query: Object.fromEntries(searchParams) };
}
