/** What the facade is beside its API: health, docs, installer, metrics, and a stop that leaves nobody hanging. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { joinAgent, type Market, makePool, openMarket, providerPath } from './harness.ts';

const run = promisify(execFile);
let market: Market;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcmarket-installer-'));
  const entry = join(folder, 'agent.ts');
  await writeFile(
    entry,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    'console.log(`agent called with ${process.argv.slice(2).join(" ")}` satisfies string);\n',
  );
  market = await openMarket({ environment: { AGENT_ENTRY: entry, METRICS_PORT: '0' } });
});
afterAll(async () => {
  await market?.close();
  await rm(folder, { recursive: true, force: true });
});

test('is alive and ready, and says how far the clocks are apart', async () => {
  expect((await market.call('GET', '/healthz')).data).toEqual({ status: 'alive' });
  expect((await market.call('GET', '/readyz')).data).toMatchObject({
    status: 'ready',
    clockSkewMs: expect.any(Number),
  });
});

test('describes every route in OpenAPI 3.1, with its schemas and whether it is signed', async () => {
  const { body } = await market.call('GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  const rentals = body.paths['/api/v1/contracts'].post;
  expect(rentals.security).toEqual([{ signature: [] }]);
  expect(
    rentals.requestBody.content['application/json'].schema.properties.offeringId.description,
  ).toBeTruthy();
  expect(body.paths['/api/v1/offerings'].get.security).toBeUndefined();
  for (const methods of Object.values<Record<string, { summary?: string }>>(body.paths))
    for (const operation of Object.values(methods)) expect(operation.summary).toBeTruthy();
});

test('has a docs page that loads nothing from elsewhere', async () => {
  const page = await market.call('GET', '/docs');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const html: string = page.body;
  expect(html).not.toMatch(/(src|href)="?(https?:)?\/\//);
  expect(html).not.toMatch(/@import|url\(/);
});

test('the installer verifies the bundle, installs it, and can be run again', async () => {
  const script = (await market.call('GET', '/setup')).body;
  const bundle = (await market.call('GET', '/setup/dc-agent.mjs')).body;
  expect(script).toContain(createHash('sha256').update(bundle).digest('hex'));
  const file = join(folder, 'setup.sh');
  await writeFile(file, script);
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    DC_AGENT_PREFIX: join(folder, 'prefix'),
    DC_AGENT_NODE: process.execPath,
  };
  const install = (...flags: string[]) => run('sh', [file, ...flags], { env: environment });
  const first = await install('--token', 'apt_europe_1', '--label', 'two words');
  expect(first.stdout).toContain('downloaded, checksum verified');
  expect(first.stdout).toContain(
    `agent called with setup --token apt_europe_1 --api-url ${market.facade.url} --label two words`,
  );
  expect((await install('--token=apt_europe_1')).stdout).toContain('is installed in');
  expect((await install()).stdout).toContain('To join a pool:');
  await writeFile(file, script.replace(/expected='[0-9a-f]{64}'/, `expected='${'0'.repeat(64)}'`));
  await rm(environment.DC_AGENT_PREFIX, { recursive: true });
  await expect(install('--token', 'x')).rejects.toMatchObject({
    stderr: expect.stringContaining('Nothing was installed'),
  });
  await expect(readFile(join(environment.DC_AGENT_PREFIX, 'lib/dc-agent/dc-agent.mjs'))).rejects.toThrow();
  await expect(install('--token')).rejects.toMatchObject({
    stderr: expect.stringContaining('--token needs a value'),
  });
});

test('counts requests by route on a port of its own, never by id', async () => {
  await market.call('GET', `/api/v1/contracts/${'c'.repeat(32)}`);
  const metrics = await (await fetch(market.facade.metricsUrl ?? '')).text();
  expect(metrics).toContain(
    'dcmarket_http_requests_total{method="GET",route="/api/v1/contracts/:id",status="401"} 1',
  );
  expect((await market.call('GET', '/metrics')).status).toBe(404);
});

test('providers register themselves only where that is open, and meet their own half-done registration', async () => {
  const keys = generateKeyPair();
  const closed = await market.call('POST', '/api/v1/providers', { key: keys, body: { name: 'newcomer' } });
  expect(closed).toMatchObject({ status: 403, body: { code: 'RegistrationClosed' } });
  const open = await openMarket({ environment: { PROVIDER_REGISTRATION: 'Open' }, withDatabase: false });
  const name = `newcomer-${market.namespace}`;
  const register = () => open.call('POST', '/api/v1/providers', { key: keys, body: { name } });
  expect(await register()).toMatchObject({
    status: 201,
    data: { name, pubkey: keys.publicKey, ready: false },
  });
  expect((await register()).status).toBe(201);
  const stolen = await open.call('POST', '/api/v1/providers', { key: generateKeyPair(), body: { name } });
  expect(
    (await open.call('POST', '/api/v1/providers', { key: generateKeyPair(), body: { name: 'kube-system' } }))
      .status,
  ).toBe(409);
  const existing = await open.call('POST', '/api/v1/providers', {
    key: generateKeyPair(),
    body: { name: market.namespace },
  });
  expect(existing).toMatchObject({ status: 409, body: { code: 'AlreadyExists' } });
  expect(stolen).toMatchObject({ status: 409, body: { code: 'AlreadyExists' } });
  expect((await open.clients.providers.get({ name }))?.spec.namespace).toBe(name);
  await open.close();
});

test('lists the seven regions with all 249 countries', async () => {
  const { data } = await market.call('GET', '/api/v1/regions');
  expect(data).toHaveLength(7);
  expect(data.flatMap(({ countries }: { countries: string[] }) => countries)).toHaveLength(249);
});

test('stops within seconds: long polls and streams are answered, not cut', async () => {
  const other = await openMarket({ withDatabase: false });
  const agent = await joinAgent(other, await makePool(other));
  const poll = other.call('GET', `${providerPath(other)}/work?wait=25`, { key: agent.keys });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const startedAt = Date.now();
  await other.close();
  expect(await poll).toMatchObject({ status: 200, data: [] });
  expect(Date.now() - startedAt).toBeLessThan(3000);
});
