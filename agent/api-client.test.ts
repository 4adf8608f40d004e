import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../lib/clock.ts';
import { fakeClock } from '../lib/fake-clock.ts';
import { generateKeyPair } from '../lib/signature/keys.ts';
import { ApiProblem, ApiUnreachable, createApiClient, describeSkew, retrying } from './api-client.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Answer = Readonly<{ status: number; body: string; headers?: Record<string, string> }>;

async function against(answer: Answer) {
  const made = createServer((_, response) =>
    response.writeHead(answer.status, answer.headers).end(answer.body),
  );
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const address = made.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { seed } = generateKeyPair();
  const client = createApiClient({ apiUrl: `http://127.0.0.1:${port}`, seed, clock: systemClock });
  return {
    client,
    get: () => client.call(z.object({ a: z.int() }), { method: 'GET', path: '/x', deadlineMs: 2000 }),
  };
}

const caught = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

test('answers what stands in the envelope', async () => {
  const { get } = await against({ status: 200, body: '{"success":true,"data":{"a":1,"later":2}}' });
  expect(await get()).toEqual({ a: 1 });
});

test('a refusal keeps its code, its data, what to do, and when', async () => {
  const body = JSON.stringify({
    code: 'StaleEpoch',
    detail: 'd',
    error: 'n',
    retryable: false,
    data: { then: 'Destroy' },
  });
  const { get } = await against({ status: 409, body, headers: { 'retry-after': '7' } });
  const error = await caught(get());
  expect(error).toBeInstanceOf(ApiProblem);
  expect(error).toMatchObject({
    code: 'StaleEpoch',
    next: 'n',
    isRetryable: false,
    data: { then: 'Destroy' },
    retryAfterMs: 7000,
  });
});

test('the page of a proxy is a refusal that may pass; an answer that is not ours is no answer', async () => {
  const proxy = await against({ status: 502, body: '<html>' });
  expect(await caught(proxy.get())).toMatchObject({ code: 'Http502', isRetryable: true });
  server?.close();
  const strange = await against({ status: 200, body: '{"data":{"a":"x"}}' });
  expect(await caught(strange.get())).toBeInstanceOf(ApiUnreachable);
});

test('nobody there: says where and why', async () => {
  const { get } = await against({ status: 200, body: '' });
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  expect(await caught(get())).toMatchObject({
    message: expect.stringMatching(/^http:\/\/127.*does not answer: .*ECONNREFUSED/),
  });
});

test('the skew is read from the Date header', async () => {
  const date = new Date(Date.now() - 42_000).toUTCString();
  const { client, get } = await against({ status: 200, body: '{"data":{"a":1}}', headers: { date } });
  await get();
  expect(client.skewSeconds()).toBeGreaterThanOrEqual(-43);
  expect(client.skewSeconds()).toBeLessThanOrEqual(-41);
  expect(describeSkew(-42)).toBe('this clock is 42 s fast');
});

test('repeats what may pass, as late as it was asked to, and nothing else', async () => {
  const clock = fakeClock();
  const signal = new AbortController().signal;
  const backoff = { firstMs: 100, maxMs: 1000, factor: 2, jitter: 0 };
  const later = new ApiProblem(429, { code: 'TooManyRequests', retryable: true }, 5000);
  const errors: unknown[] = [new ApiUnreachable('x'), later];
  const waits: number[] = [];
  const call = async (): Promise<string> => {
    const error = errors.shift();
    if (error) throw error;
    return 'done';
  };
  const result = retrying(call, { clock, signal, backoff, onWait: (_, ms) => waits.push(ms) });
  await clock.advance(10_000);
  expect(await result).toBe('done');
  expect(waits).toEqual([100, 5000]);
  const final = new ApiProblem(403, { code: 'PermissionDenied', retryable: false }, undefined);
  await expect(retrying(() => Promise.reject(final), { clock, signal, backoff })).rejects.toBe(final);
});
