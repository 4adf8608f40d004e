/**
 * The facade as the agent calls it: every request signed anew, with a deadline; every refusal one kind of error.
 * Repeats nothing by itself: `retrying` below does, for whoever may repeat.
 */
import { z } from 'zod';
import { ProblemBody } from '../crds/wire/envelope.ts';
import { withDeadline } from '../lib/abort.ts';
import { type Backoff, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { signRequest } from '../lib/signature/sign.ts';
import { messageOf } from './failure.ts';

export type ApiCall = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From `/api/v1` on, with its query. */
  path: string;
  body?: unknown;
  signal?: AbortSignal | undefined;
  deadlineMs?: number;
}>;

export type ApiClient = Readonly<{
  /** Throws ApiProblem for an answer that says no, ApiUnreachable when there was none, or the signal's reason. */
  call: <T>(schema: z.ZodType<T>, call: ApiCall) => Promise<T>;
  /** The facade's clock less ours at the last answer, in seconds; undefined before the first. */
  skewSeconds: () => number | undefined;
}>;

/** A proxy in between may have answered: any member can be missing. */
const SomeProblem = ProblemBody.partial();
type SomeProblem = z.infer<typeof SomeProblem>;

/** The facade answered, and the answer is no. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly isRetryable: boolean;
  readonly next: string;
  readonly data: unknown;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, problem: SomeProblem, retryAfterMs: number | undefined) {
    super(problem.detail ?? problem.error ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? `Http${status}`;
    this.isRetryable = problem.retryable ?? (status >= 500 || status === 429);
    this.next = problem.error ?? 'Try again in a minute.';
    this.data = problem.data;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer that can be understood: whether the call had an effect is unknown. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

const DEADLINE_MS = 15_000;

export type ApiClientOptions = Readonly<{ apiUrl: string; seed: string; clock: Clock }>;

export function createApiClient({ apiUrl, seed, clock }: ApiClientOptions): ApiClient {
  let skewSeconds: number | undefined;
  return {
    skewSeconds: () => skewSeconds,
    call: async (schema, { method, path, body, signal, deadlineMs = DEADLINE_MS }) => {
      signal?.throwIfAborted();
      const url = new URL(path, apiUrl);
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const sentAt = clock.now();
      const signed = await signRequest({ method, url, body: bytes }, { seed, now: sentAt });
      const headers = {
        ...signed,
        accept: 'application/json',
        ...(bytes && { 'content-type': 'application/json' }),
      };
      let response: Response;
      let text: string;
      try {
        const limits = { redirect: 'error', signal: withDeadline(signal, deadlineMs) } as const;
        response = await fetch(url, { method, headers, ...(bytes && { body: bytes }), ...limits });
        text = await response.text();
      } catch (cause) {
        signal?.throwIfAborted();
        throw new ApiUnreachable(`${url.origin} does not answer: ${reasonOf(cause)}`, { cause });
      }
      const date = response.headers.get('date');
      // Halfway between question and answer; the header has whole seconds.
      const middle = (sentAt.getTime() + clock.now().getTime()) / 2;
      if (date) skewSeconds = Math.round((Date.parse(date) + 500 - middle) / 1000);
      if (response.ok) return parseData(schema, text, url);
      throw problemOf(response, text, { sentAt, date });
    },
  };
}

function parseData<T>(schema: z.ZodType<T>, text: string, url: URL): T {
  const answer = z.object({ data: schema }).safeParse(parseJson(text));
  if (answer.success) return answer.data.data;
  const why = z.prettifyError(answer.error).split('\n')[0];
  throw new ApiUnreachable(`${url.origin} answered something that this dc-agent does not understand: ${why}`);
}

function problemOf(
  response: Response,
  text: string,
  { sentAt, date }: Readonly<{ sentAt: Date; date: string | null }>,
): ApiProblem {
  const body = SomeProblem.catch({}).parse(parseJson(text));
  const after = Number(response.headers.get('retry-after'));
  const problem =
    body.code === 'ClockSkew' ? { ...body, detail: skewDetail(body.detail, sentAt, date) } : body;
  return new ApiProblem(response.status, problem, after > 0 ? after * 1000 : undefined);
}

function skewDetail(detail: string | undefined, sentAt: Date, date: string | null): string {
  if (!date) return detail ?? 'the clocks are too far apart';
  const seconds = Math.round((sentAt.getTime() - Date.parse(date)) / 1000);
  const server = new Date(date).toISOString();
  return `this clock says ${sentAt.toISOString()}, the server's ${server}: ${describeSkew(-seconds)}`;
}

/** `skew` as in `skewSeconds`. */
export const describeSkew = (skew: number): string =>
  skew === 0 ? 'both clocks agree' : `this clock is ${Math.abs(skew)} s ${skew > 0 ? 'slow' : 'fast'}`;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // e.g. the page of a proxy: the status says enough
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof Error && cause.cause instanceof Error
    ? messageOf(cause.cause) || cause.message
    : messageOf(cause);

/** Worth the same call again, later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiUnreachable || (error instanceof ApiProblem && error.isRetryable);

export type Retrying = Readonly<{
  clock: Clock;
  signal: AbortSignal;
  backoff: Backoff;
  /** Which refusals are worth another try; `isPassing` unless the caller knows better. */
  isPassing?: (error: unknown) => boolean;
  onWait?: (error: unknown, waitMs: number) => void;
}>;

/** Repeats until there is an answer, or a refusal that stays. Honours Retry-After. */
export async function retrying<T>(call: () => Promise<T>, options: Retrying): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(options.isPassing ?? isPassing)(error)) throw error;
      const asked = error instanceof ApiProblem ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(asked, backoffMs(attempt, options.backoff));
      options.onWait?.(error, waitMs);
      await options.clock.sleep(waitMs, { signal: options.signal });
    }
  }
}
