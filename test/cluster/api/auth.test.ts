/** Who may call what: signatures that are wrong, late, replayed or foreign, and every permission of an agent. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Permission } from '../../../crds/agent.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { signRequest } from '../../../lib/signature/sign.ts';
import { inNamespace } from '../../world/cluster.ts';
import {
  type Answer,
  changeAgent,
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  makeProvider,
  openMarket,
  providerPath,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let pool: string;

beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
});
afterAll(() => market?.close());

const expectRefusal = (answer: Answer, status: number, code: string): void => {
  expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    success: false,
    error: expect.any(String),
    detail: expect.any(String),
  });
};

/** A signed request whose parts can be bent before it is sent. */
async function bent(
  bend: (request: { url: URL; method: string; headers: Record<string, string>; body: string }) => void,
) {
  const url = new URL(`${providerPath(market)}/pools`, market.facade.url);
  const body = JSON.stringify({ name: 'never made', location: 'europe', provisionerType: 'script' });
  const signed = await signRequest(
    { method: 'POST', url, body: Buffer.from(body) },
    { seed: market.provider.seed, now: new Date() },
  );
  const request = { url, method: 'POST', headers: { ...signed, 'content-type': 'application/json' }, body };
  bend(request);
  const answer = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
  });
  const parsed = (await answer.json()) as { code: string };
  return { status: answer.status, code: parsed.code };
}

test('without a signature: 401 that says how to sign', async () => {
  expectRefusal(await market.call('GET', `${providerPath(market)}/pools`), 401, 'SignatureMissing');
});

test('a changed body, path, query, signature or key is refused', async () => {
  const bends: Record<string, [Parameters<typeof bent>[0], string]> = {
    body: [(request) => (request.body = request.body.replace('never', 'NEVER')), 'DigestMismatch'],
    query: [(request) => (request.url.search = '?x=1'), 'SignatureInvalid'],
    path: [
      (request) => (request.url.pathname = `${providerPath(market)}/agents/${'0'.repeat(64)}/cordon`),
      'SignatureInvalid',
    ],
    signature: [
      (request) => (request.headers['signature'] = `sig1=:${Buffer.alloc(64, 7).toString('base64')}:`),
      'SignatureInvalid',
    ],
    syntax: [(request) => (request.headers['signature'] = 'nonsense;;'), 'SignatureMalformed'],
    key: [
      (request) =>
        (request.headers['signature-input'] =
          request.headers['signature-input']?.replace(
            /keyid="[0-9a-f]+"/,
            `keyid="${generateKeyPair().publicKey}"`,
          ) ?? ''),
      'SignatureInvalid',
    ],
    coverage: [
      (request) =>
        (request.headers['signature-input'] =
          request.headers['signature-input']?.replace(' "content-digest"', '') ?? ''),
      'SignatureMalformed',
    ],
  };
  for (const [name, [bend, code]] of Object.entries(bends))
    expect(await bent(bend), name).toEqual({ status: 401, code });
  expect(await bent(() => {})).toMatchObject({ status: 201 });
});

test('a clock that is off is named with both times', async () => {
  for (const offMs of [-70_000, 70_000]) {
    const answer = await market.call('GET', `${providerPath(market)}/pools`, {
      key: market.provider,
      now: new Date(Date.now() + offMs),
    });
    expectRefusal(answer, 401, 'ClockSkew');
    expect(answer.body.detail).toMatch(/created is .*Z, the server's clock is .*Z: \d+ s apart/);
  }
});

test('a nonce works once per key', async () => {
  const nonce = 'once-and-only-once-1';
  const path = `${providerPath(market)}/pools`;
  expect((await market.call('GET', path, { key: market.provider, nonce })).status).toBe(200);
  expectRefusal(await market.call('GET', path, { key: market.provider, nonce }), 401, 'NonceReplayed');
  expect((await market.call('GET', '/api/v1/contracts', { key: generateKeyPair(), nonce })).status).toBe(200);
});

test('a request that was signed for another server is refused', async () => {
  const url = new URL('/api/v1/contracts', market.facade.url);
  const port = url.port;
  const signed = await signRequest(
    { method: 'GET', url: new URL('/api/v1/contracts', 'https://other.example') },
    { seed: market.provider.seed, now: new Date() },
  );
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/contracts`, { headers: signed });
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
    401,
    'SignatureInvalid',
  ]);
  const second = await openMarket({
    environment: { PUBLIC_AUTHORITIES: 'api.example.com' },
    withDatabase: false,
  }).catch((error: unknown) => error);
  if (second instanceof Error) throw second;
  const foreign = await (second as Market).call('GET', '/api/v1/contracts', { key: market.provider });
  expectRefusal(foreign, 401, 'WrongAuthority');
  await (second as Market).close();
});

test('keys that nobody has, and keys of others', async () => {
  const stranger = generateKeyPair();
  expectRefusal(
    await market.call('GET', `/api/v1/providers/${stranger.publicKey}/pools`, { key: stranger }),
    401,
    'UnknownKey',
  );
  expectRefusal(
    await market.call('GET', `${providerPath(market)}/pools`, { key: stranger }),
    403,
    'PermissionDenied',
  );
  expectRefusal(
    await market.call('GET', `${providerPath(market)}/work`, { key: stranger }),
    401,
    'UnknownKey',
  );
  expectRefusal(
    await market.call('GET', `${providerPath(market)}/work`, { key: market.provider }),
    401,
    'UnknownKey',
  );
});

test('an agent of one provider sees nothing of another', async () => {
  const agent = await joinAgent(market, pool);
  const offering = await makeOffering(market, { poolName: pool });
  const { id } = await rentAccepted(market, offering);
  const namespace = await inNamespace('other');
  const other = await makeProvider(market.clients, namespace);
  await eventually(
    async () => (await market.call('GET', `/api/v1/providers/${other.publicKey}`)).data?.ready,
  );
  const foreign = `/api/v1/providers/${other.publicKey}`;
  expectRefusal(await market.call('GET', `${foreign}/work`, { key: agent.keys }), 403, 'PermissionDenied');
  expectRefusal(
    await market.call('POST', `${foreign}/contracts/${id}/lock`, { key: agent.keys }),
    403,
    'PermissionDenied',
  );
  expectRefusal(
    await market.call('GET', `${providerPath(market)}/pools`, { key: other }),
    403,
    'PermissionDenied',
  );
});

type Route = readonly [method: string, path: string, body: unknown];
const ID = 'c'.repeat(32);
const PER_PERMISSION: Readonly<Record<Exclude<Permission, 'dns_manage'>, readonly Route[]>> = {
  heartbeat: [['POST', '/heartbeat', { version: '1', provisionerType: 'script', activeContracts: 0 }]],
  fetch_contracts: [
    ['GET', '/work', undefined],
    ['GET', '/contracts/pending-provision', undefined],
  ],
  provision: [
    ['POST', `/contracts/${ID}/lock`, undefined],
    ['DELETE', `/contracts/${ID}/lock`, undefined],
    ['POST', `/contracts/${ID}/provisioned`, { instanceDetails: { externalId: 'x', sshPort: 22 } }],
    ['POST', `/contracts/${ID}/failed`, { errorMessage: 'x' }],
    ['PUT', `/contracts/${ID}/terminated`, undefined],
    ['POST', '/reconcile', { runningInstances: [] }],
  ],
  health_check: [['POST', `/contracts/${ID}/health`, { status: 'healthy' }]],
};

for (const [permission, routes] of Object.entries(PER_PERMISSION))
  test(`an agent without ${permission} gets 403, with it alone it gets through`, async () => {
    const agent: TestAgent = await joinAgent(market, pool);
    const statuses = (): Promise<Answer[]> =>
      Promise.all(
        routes.map(([method, path, body]) =>
          market.call(method, `${providerPath(market)}${path}`, { key: agent.keys, body }),
        ),
      );
    const others = ['heartbeat', 'fetch_contracts', 'provision', 'health_check', 'dns_manage'].filter(
      (one) => one !== permission,
    );
    await changeAgent(market, agent.name, { permissions: others as Permission[] });
    await eventually(async () => (await statuses()).every(({ status }) => status === 403));
    for (const answer of await statuses()) {
      expectRefusal(answer, 403, 'PermissionDenied');
      expect(answer.body.detail).toContain(permission);
    }
    await changeAgent(market, agent.name, { permissions: [permission as Permission] });
    await eventually(async () => (await statuses()).every(({ status }) => status !== 403));
  });

test('a revoked agent is refused everywhere, and stays so', async () => {
  const agent = await joinAgent(market, pool);
  const revoked = await market.call('DELETE', `${providerPath(market)}/agents/${agent.keys.publicKey}`, {
    key: market.provider,
  });
  expect(revoked.data).toMatchObject({ revoked: true, online: false });
  await eventually(
    async () =>
      (await market.call('GET', `${providerPath(market)}/work`, { key: agent.keys })).status === 401,
  );
  expectRefusal(
    await market.call('GET', `${providerPath(market)}/work`, { key: agent.keys }),
    401,
    'AgentRevoked',
  );
});
