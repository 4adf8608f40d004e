/** The facade as a user calls it: signed requests, and its refusals as failures with what to do. */
import { z } from 'zod';
import { withDeadline } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { signRequest } from '../../lib/signature/sign.ts';
import { Failure } from '../failure.ts';

const Answer = z.object({
  success: z.boolean(),
  data: z.unknown().optional(),
  error: z.string().optional(),
  detail: z.string().optional(),
});

export type ApiCall = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  /** Who signs; nobody when absent. */
  seed?: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}>;

export type Api = <T>(schema: z.ZodType<T>, call: ApiCall) => Promise<T>;

const DEADLINE_MS = 15_000;

/** Throws `StepFailed` with the sentence of the refusal. */
export function createApi({
  url,
  clock,
  signal,
}: Readonly<{ url: string; clock: Clock; signal: AbortSignal }>): Api {
  return async (schema, { method, path, seed, body, headers = {} }) => {
    const target = new URL(path, url);
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const signature = seed
      ? await signRequest({ method, url: target, body: bytes }, { seed, now: clock.now() })
      : {};
    const response = await fetch(target, {
      method,
      headers: { ...headers, ...signature, ...(bytes ? { 'content-type': 'application/json' } : {}) },
      ...(bytes ? { body: bytes } : {}),
      signal: withDeadline(signal, DEADLINE_MS),
    });
    const answer = Answer.parse(await response.json());
    if (response.ok && answer.success) return schema.parse(answer.data);
    throw new Failure(
      'StepFailed',
      `${method} ${path} was refused with ${response.status}: ${answer.detail ?? ''}`,
      {
        ...(answer.error ? { next: answer.error } : {}),
      },
    );
  };
}
