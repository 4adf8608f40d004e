/**
 * Every leaf of every request body and query, broken in every way that its schema forbids: 4xx that names the
 * field, nothing stored, never a 500. Made from /openapi.json, so a new field is tested the day it is added.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { mutationsOf } from '../../schema/mutations.ts';
import { joinAgent, type Market, makePool, openMarket, providerPath, type TestAgent } from './harness.ts';
import { BODIES, ID } from './right-bodies.ts';

type Schema = Readonly<Record<string, unknown>>;
type Operation = Readonly<{
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  parameters?: readonly { in: string; name: string; schema: Schema }[];
}>;

let market: Market;
let pool: string;
let agent: TestAgent;
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const tenant = generateKeyPair();

beforeAll(async () => {
  market = await openMarket({ environment: { PROVIDER_REGISTRATION: 'Open' } });
  pool = await makePool(market);
  agent = await joinAgent(market, pool);
  paths = (await market.call('GET', '/openapi.json')).body.paths;
});
afterAll(() => market?.close());

const PREFIX = '/api/v1';
const WITH_QUERY = [
  '/offerings',
  '/contracts',
  '/provider/contracts',
  '/providers/{pk}/work',
  '/providers/{pk}/contracts/pending-provision',
];

test('every route that takes a body or a query is in this test', () => {
  const withBody: string[] = [];
  const withQuery: string[] = [];
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const name = path.slice(PREFIX.length);
      if (operation.requestBody) withBody.push(`${method.toUpperCase()} ${name}`);
      if (operation.parameters?.some((parameter) => parameter.in === 'query')) withQuery.push(name);
    }
  expect(withBody.sort()).toEqual(Object.keys(BODIES).sort());
  expect(withQuery.sort()).toEqual([...WITH_QUERY].sort());
});

describe.each(Object.keys(BODIES))('%s', (route) => {
  test('refuses every broken field by its name and stores nothing', async () => {
    const [method = '', path = ''] = route.split(' ');
    const operation = paths[`${PREFIX}${path}`]?.[method.toLowerCase()];
    const schema = plain(operation?.requestBody?.content['application/json'].schema ?? {});
    const mutations = mutationsOf(schema, BODIES[route]);
    expect(mutations.length).toBeGreaterThan(1);
    const before = await stored();
    const wrong: string[] = [];
    for (const { name, path: field, value } of mutations) {
      const answer = await market.call(method, urlOf(path), { key: keyFor(path), body: value });
      const named = `${answer.body.detail} ${JSON.stringify(answer.body.errors ?? [])}`;
      const leaf =
        field
          .split('.')
          .filter((part) => !/^\d+$/.test(part))
          .at(-1) ?? '';
      const isRefused =
        answer.status >= 400 &&
        answer.status < 500 &&
        ['ValidationFailed', 'UnknownField'].includes(answer.body.code);
      if (!isRefused || !named.includes(leaf))
        wrong.push(`${name} → ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    expect(wrong).toEqual([]);
    expect(await stored()).toEqual(before);
  });
});

test('every broken query parameter is refused by its name', async () => {
  const wrong: string[] = [];
  for (const path of WITH_QUERY) {
    const parameters = (paths[`${PREFIX}${path}`]?.['get']?.parameters ?? []).filter(
      (one) => one.in === 'query',
    );
    const bad = new Map<string, string>(
      parameters.flatMap(({ name, schema }) =>
        badText(plain(schema)).map((text) => [`${name}=${text}`, name]),
      ),
    );
    bad.set('notAField=1', 'notAField');
    for (const [query, name] of bad) {
      const answer = await market.call('GET', `${urlOf(path)}?${query}`, { key: keyFor(path) });
      const isRefused =
        answer.status >= 400 && answer.status < 500 && JSON.stringify(answer.body).includes(name);
      if (!isRefused) wrong.push(`${path}?${query} → ${answer.status}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('ids in paths that cannot be any are refused, not looked up', async () => {
  for (const [path, key] of [
    ['/contracts/not-an-id', tenant],
    [`/contracts/${ID}0`, tenant],
    [`/providers/${market.provider.publicKey}/pools/${'x'.repeat(100)}`, market.provider],
    [`/providers/${market.provider.publicKey}/pools/Not_A_Name`, market.provider],
    ['/providers/abc', undefined],
    ['/contracts/%00', tenant],
    ['/contracts/..%2f..%2fetc', tenant],
  ] as const) {
    const answer = await market.call('GET', `${PREFIX}${path}`, { key });
    expect(answer.status, path).toBeGreaterThanOrEqual(400);
    expect(answer.status, path).toBeLessThan(500);
  }
});

test('bodies that are no JSON, too large, too deep, doubled or of another type', async () => {
  const path = `${providerPath(market)}/pools`;
  const send = (raw: string, headers: Record<string, string> = {}) =>
    market.call('POST', path, { key: market.provider, raw, headers });
  expect(await send('{"name":')).toMatchObject({ status: 400, body: { code: 'BadRequest' } });
  expect(await send('[]')).toMatchObject({ status: 422 });
  expect(await send(`{"name":"x","name":"y","location":"europe"}`)).toMatchObject({ status: 400 });
  expect(await send(`{"__proto__":{"x":1}}`)).toMatchObject({ status: 400 });
  expect(await send(`${'['.repeat(1000)}${']'.repeat(1000)}`)).toMatchObject({ status: 400 });
  expect(await send(JSON.stringify({ name: 'x'.repeat(300 * 1024) }))).toMatchObject({
    status: 413,
    body: { code: 'BodyTooLarge' },
  });
  expect(await send('name=x', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
    status: 415,
    body: { code: 'UnsupportedMediaType' },
  });
  expect(await send('')).toMatchObject({ status: 422, body: { code: 'ValidationFailed' } });
});

test('unknown routes are 404, known ones with another method 405 with Allow', async () => {
  expect(await market.call('GET', '/api/v1/nothing')).toMatchObject({
    status: 404,
    body: { code: 'RouteNotFound' },
  });
  const wrong = await market.call('PATCH', '/api/v1/offerings');
  expect(wrong).toMatchObject({ status: 405, body: { code: 'MethodNotAllowed' } });
  expect(wrong.headers.get('allow')).toBe('GET');
  expect(wrong.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

function urlOf(path: string): string {
  const filled = path
    .replace('{pk}', market.provider.publicKey)
    .replace('{poolId}', pool)
    .replace('{agentKey}', agent.keys.publicKey)
    .replace('{id}', ID);
  return `${PREFIX}${filled}`;
}

function keyFor(path: string): KeyPair {
  if (path.startsWith('/provider/')) return market.provider;
  if (!path.startsWith('/providers/{pk}')) return tenant;
  return /\/(pools|agents)/.test(path) ? market.provider : agent.keys;
}

/** What the API server has of this provider, by name and version. */
async function stored(): Promise<string[]> {
  const { pools, agents, tokens, contracts, leases } = market.clients;
  const lists = await Promise.all(
    [pools, agents, tokens, contracts, leases].map((resource) =>
      resource.list({ namespace: market.namespace }),
    ),
  );
  const versions = lists.flatMap(({ items }) =>
    items.map(({ kind, metadata }) => `${kind}/${metadata.name}@${metadata.resourceVersion}`),
  );
  const providers = await market.clients.providers.list();
  return [
    ...versions,
    ...providers.items.filter(({ metadata }) => metadata.name === 'someone').map(() => 'someone'),
  ].sort();
}

/** Without null alternatives: what is left is what a value must look like. */
function plain(schema: Schema): Schema {
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) {
    const real = options.filter((option) => option.type !== 'null');
    return real.length === 1 ? plain({ ...real[0] }) : {};
  }
  const result: Record<string, unknown> = { ...schema };
  const { properties, items } = schema;
  if (typeof properties === 'object' && properties !== null)
    result['properties'] = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, plain(value)]),
    );
  if (typeof items === 'object' && items !== null) result['items'] = plain({ ...items });
  return result;
}

/** Texts that a query parameter must refuse. */
function badText({ type, minimum, maximum, maxLength, enum: allowed }: Schema): string[] {
  if (Array.isArray(allowed)) return ['none-of-them'];
  if (type === 'integer' || type === 'number')
    return [
      'many',
      '1.5',
      ...(typeof minimum === 'number' ? [String(minimum - 1)] : []),
      ...(typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? [String(maximum + 1)] : []),
    ];
  return typeof maxLength === 'number' ? ['a'.repeat(maxLength + 1)] : [];
}
