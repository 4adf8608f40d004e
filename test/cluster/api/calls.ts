/** Signed calls to a facade, as a client makes them. */
import type { KeyPair } from '../../../lib/signature/keys.ts';
import { signRequest } from '../../../lib/signature/sign.ts';

export type Answer = Readonly<{
  status: number;
  headers: Headers;
  /** `data` of a success. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  data: any;
  /** The whole body. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  body: any;
}>;

export type CallOptions = Readonly<{
  key?: KeyPair | undefined;
  body?: unknown;
  /** Instead of `body`, as it is. */
  raw?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  nonce?: string | undefined;
  now?: Date | undefined;
  signal?: AbortSignal | undefined;
}>;

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

export function caller(base: string): Call {
  return async (method, path, { key, body, raw, headers = {}, nonce, now = new Date(), signal } = {}) => {
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const bytes = text === undefined ? undefined : Buffer.from(text);
    const url = new URL(path, base);
    const signed = key ? await signRequest({ method, url, body: bytes }, { seed: key.seed, now, nonce }) : {};
    const answer = await fetch(url, {
      method,
      headers: { ...(bytes ? { 'content-type': 'application/json' } : {}), ...signed, ...headers },
      body: bytes ?? null,
      signal: signal ?? null,
    });
    return toAnswer(answer);
  };
}

async function toAnswer(answer: Response): Promise<Answer> {
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  const body = isJson && text !== '' ? JSON.parse(text) : text;
  return { status: answer.status, headers: answer.headers, data: body?.data, body };
}
