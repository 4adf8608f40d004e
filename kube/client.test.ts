import { afterEach, expect, test } from 'vitest';
import { createKubeClient, type KubeClient } from './client.ts';
import type { KubeError } from './error.ts';
import type { Observation } from './observation.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';
import {
  kubeconfigOf,
  type Respond,
  sendJson,
  startWireServer,
  type WireServer,
} from './testing/wire-server.ts';

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each.close();
});

async function connect(
  respond: Respond,
  options = {},
): Promise<{ client: KubeClient; server: WireServer; facts: Observation[] }> {
  const facts: Observation[] = [];
  const server = await startWireServer(respond);
  const client = createKubeClient({
    kubeconfig: server.kubeconfig,
    observe: (fact) => facts.push(fact),
    ...options,
  });
  closing.push(server, client);
  return { client, server, facts };
}

const errorOf = (promise: Promise<unknown>): Promise<KubeError> =>
  promise.then(
    () => Promise.reject(new Error('did not throw')),
    (error: KubeError) => error,
  );

test('many requests share few connections', async () => {
  const { client, server } = await connect((_, response) => sendJson(response, {}), { connectionsMax: 2 });
  for (let wave = 0; wave < 5; wave++)
    await Promise.all(Array.from({ length: 10 }, () => client.raw({ method: 'GET', path: '/version' })));
  expect(server.requests).toHaveLength(50);
  expect(server.connections()).toBeLessThanOrEqual(2);
});

test('a fork has connections of its own', async () => {
  const { client, server } = await connect((_, response) => sendJson(response, {}), { connectionsMax: 1 });
  const fork = client.fork();
  closing.push(fork);
  await client.raw({ method: 'GET', path: '/a' });
  await fork.raw({ method: 'GET', path: '/b' });
  expect(server.connections()).toBe(2);
});

test('credentials of the kubeconfig go with each request', async () => {
  let seen: unknown;
  const { client } = await connect((request, response) => {
    seen = request.headers.authorization;
    sendJson(response, {});
  });
  await client.raw({ method: 'GET', path: '/version' });
  expect(seen).toBe('Bearer secret');
  expect(client.namespace).toBe('home');
});

test('a call ends at its deadline, and says so', async () => {
  const { client } = await connect(() => {}, { requestTimeoutMs: 50 });
  expect(await errorOf(client.raw({ method: 'PUT', path: '/slow' }))).toMatchObject({
    reason: 'DeadlineExceeded',
    retryable: true,
    message: expect.stringContaining('PUT /slow'),
  });
});

test('a call ends at its deadline also when the answer has begun', async () => {
  const { client } = await connect((_, response) => void response.writeHead(200).write('{'), {
    requestTimeoutMs: 50,
  });
  expect(await errorOf(client.raw({ method: 'GET', path: '/half' }))).toMatchObject({
    reason: 'DeadlineExceeded',
  });
});

test('a call ends at its deadline also while it waits for a connection', async () => {
  const { client } = await connect(() => {}, { connectionsMax: 1, requestTimeoutMs: 1000 });
  const call = (timeoutMs: number) => errorOf(client.raw({ method: 'GET', path: '/', timeoutMs }));
  const [first, second] = [call(1000), call(100)];
  const order = await Promise.race([first.then(() => 'first'), second.then(() => 'second')]);
  expect(order).toBe('second');
  expect(await second).toMatchObject({ reason: 'DeadlineExceeded' });
  await first;
});

test('an aborted call throws the reason of its signal', async () => {
  const { client } = await connect(() => {});
  const reason = new Error('enough');
  const controller = new AbortController();
  const call = client.raw({ method: 'GET', path: '/slow', signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
});

test('nobody there is ConnectionRefused', async () => {
  const client = createKubeClient({ kubeconfig: { text: kubeconfigOf('http://127.0.0.1:1') } });
  closing.push(client);
  expect(await errorOf(client.raw({ method: 'GET', path: '/' }))).toMatchObject({
    reason: 'ConnectionRefused',
  });
});

test('a 429 is sent again after its Retry-After', async () => {
  const { client, server, facts } = await connect((_, response) => {
    if (server.requests.length > 1) sendJson(response, { ok: true });
    else sendJson(response, { message: 'busy' }, 429, { 'retry-after': '0' });
  });
  const { body } = await client.raw({ method: 'POST', path: '/a', body: {} });
  expect(body).toEqual({ ok: true });
  expect(facts.map((fact) => fact.type === 'RequestFinished' && fact.code)).toEqual(['429', '200']);
}, 10_000);

test('a write whose connection was cut is not sent again', async () => {
  const { client, server } = await connect((request) => request.socket.destroy());
  expect(await errorOf(client.raw({ method: 'POST', path: '/a', body: {} }))).toMatchObject({
    reason: 'ConnectionLost',
  });
  expect(server.requests).toHaveLength(1);
});

test('a 401 loads the credentials afresh', async () => {
  const { client, facts } = await connect((_, response) =>
    sendJson(response, { kind: 'Status', code: 401, reason: 'Unauthorized' }, 401),
  );
  await errorOf(client.raw({ method: 'GET', path: '/a' }));
  await errorOf(client.raw({ method: 'GET', path: '/a' }));
  expect(facts).toContainEqual(
    expect.objectContaining({ type: 'CredentialsReloaded', because: 'Unauthorized' }),
  );
});

test('a guard stops writes, not reads', async () => {
  const { client, server } = await connect((_, response) => sendJson(response, { metadata: { name: 'a' } }));
  const lost = new Error('not leading');
  const maps = client
    .guarded(() => {
      throw lost;
    })
    .resource<ConfigMap>(CONFIG_MAPS);
  await maps.get({ namespace: 'home', name: 'a' });
  await expect(maps.delete({ namespace: 'home', name: 'a' })).rejects.toBe(lost);
  expect(server.requests).toEqual(['GET /api/v1/namespaces/home/configmaps/a']);
});

test('warnings of the API server are reported', async () => {
  const { client, facts } = await connect((_, response) =>
    sendJson(response, {}, 200, { warning: '299 - "unknown field \\"spec.foo\\""' }),
  );
  await client.raw({ method: 'PUT', path: '/a', body: {} });
  expect(facts).toContainEqual(expect.objectContaining({ type: 'ServerWarned', request: 'PUT /a' }));
});

test('names of objects cannot leave their path', async () => {
  const { client, server } = await connect((_, response) => sendJson(response, {}));
  await client.resource(CONFIG_MAPS).get({ namespace: 'home', name: '../../secrets?x=1' });
  expect(server.requests).toEqual(['GET /api/v1/namespaces/home/configmaps/..%2F..%2Fsecrets%3Fx%3D1']);
});

test('a kubeconfig without a cluster is refused at once, with the context it looked for', () => {
  expect(() => createKubeClient({ kubeconfig: { text: '{}' } })).toThrow('no cluster for its context');
});
