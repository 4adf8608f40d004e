/** Pools, setup tokens and how an agent joins: once, healing, and refused with who was first. */
import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IN_USE_FINALIZER } from '../../../crds/group.ts';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import {
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  makeToken,
  openMarket,
  providerPath,
  readContract,
  rentAccepted,
} from './harness.ts';

let market: Market;

beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market?.close());

const pools = (): string => `${providerPath(market)}/pools`;
const own = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  market.call(method, path, { key: market.provider, body, headers });
const setUp = (token: string, keys: KeyPair) =>
  market.call('POST', '/api/v1/agents/setup', { key: keys, body: { token, agentPubkey: keys.publicKey } });

test('a pool is made, listed, renamed under its ETag, and deleted', async () => {
  const made = await own('POST', pools(), {
    name: 'Europe Proxmox',
    location: 'europe',
    provisioner_type: 'proxmox',
  });
  expect(made).toMatchObject({
    status: 201,
    data: {
      poolId: 'europe-proxmox',
      displayName: 'Europe Proxmox',
      location: 'europe',
      agents: 0,
      online: 0,
    },
  });
  const twice = await own('POST', pools(), {
    name: 'europe proxmox',
    location: 'na',
    provisionerType: 'script',
  });
  expect(twice).toMatchObject({ status: 409, body: { code: 'AlreadyExists' } });
  const read = await own('GET', `${pools()}/europe-proxmox`);
  expect(read.data).toMatchObject({ poolId: 'europe-proxmox', agentList: [] });
  const etag = read.headers.get('etag') ?? '';
  const renamed = await own('PUT', `${pools()}/europe-proxmox`, { displayName: 'EU' }, { 'if-match': etag });
  expect(renamed).toMatchObject({ status: 200, data: { displayName: 'EU' } });
  const stale = await own('PUT', `${pools()}/europe-proxmox`, { displayName: 'EU 2' }, { 'if-match': etag });
  expect(stale).toMatchObject({ status: 412, body: { code: 'PreconditionFailed' } });
  expect((await own('PUT', `${pools()}/europe-proxmox`, { location: 'na' })).status).toBe(422);
  expect((await own('DELETE', `${pools()}/europe-proxmox`)).data).toEqual({ deleted: true });
  expect((await own('GET', `${pools()}/europe-proxmox`)).body.code).toBe('NotFound');
});

test('a pool in use by an agent, an offering or a contract is not deleted', async () => {
  const pool = await makePool(market);
  const agent = await joinAgent(market, pool);
  const refused = await own('DELETE', `${pools()}/${pool}`);
  expect(refused).toMatchObject({ status: 409, body: { code: 'PoolInUse' } });
  expect(refused.body).toMatchObject({
    detail: `Pool ${pool} is used by 1 agent (${agent.name}).`,
    error: 'Revoke its agents first.',
    data: { using: { agents: [agent.name], offerings: [], contracts: [] } },
  });
  const named = { namespace: market.namespace, name: pool };
  await market.clients.pools.patch(named, {
    ...{ type: 'Merge', body: { metadata: { finalizers: [IN_USE_FINALIZER] } } },
  });
  await market.clients.pools.delete(named); // as kubectl does
  expect(await own('DELETE', `${pools()}/${pool}`)).toMatchObject({
    status: 409,
    body: { code: 'PoolInUse', detail: `Pool ${pool} was deleted and is used by 1 agent (${agent.name}).` },
  });
  const sold = await makePool(market);
  const offeringId = await makeOffering(market, { poolName: sold });
  const { id } = await rentAccepted(market, offeringId);
  expect(await own('DELETE', `${pools()}/${sold}`)).toMatchObject({
    status: 409,
    body: { code: 'PoolInUse' },
  });
  // What was rented keeps its pool, although nothing is sold there any more.
  const [namespace = '', name = ''] = offeringId.split('/');
  await market.clients.offerings.delete({ namespace, name });
  const { metadata } = await readContract(market, id);
  expect(await own('DELETE', `${pools()}/${sold}`)).toMatchObject({
    status: 409,
    body: {
      detail: `Pool ${sold} is used by 1 contract (${metadata.name}).`,
      error: 'Cancel its contracts or let them end first.',
    },
  });
});

test('a token is shown once, listed without its secret, and deleted by id or secret under both paths', async () => {
  const pool = await makePool(market);
  const tokens = `${pools()}/${pool}/setup-tokens`;
  const made = await own('POST', tokens, { label: 'node-6', expires_in_hours: 2 });
  expect(made.status).toBe(201);
  expect(made.data.token).toMatch(/^apt_europe_[0-9a-f]{32}$/);
  expect(made.data.setupCommand).toBe(
    `curl -sSf ${market.facade.url}/setup | sh -s -- --token ${made.data.token}`,
  );
  const hoursLeft = (Date.parse(made.data.expiresAt) - Date.now()) / 3_600_000;
  expect(hoursLeft).toBeGreaterThan(1.9);
  expect(hoursLeft).toBeLessThan(2.1);
  const listed = await own('GET', tokens);
  expect(listed.data).toMatchObject([{ tokenId: made.data.tokenId, label: 'node-6', usedAt: null }]);
  expect(JSON.stringify(listed.body)).not.toContain(made.data.token);
  const stored = await market.clients.tokens.list({ namespace: market.namespace });
  expect(JSON.stringify(stored.items)).not.toContain(made.data.token);
  expect((await own('DELETE', `${providerPath(market)}/setup-tokens/${made.data.token}`)).status).toBe(200);
  const second = await own('POST', tokens);
  expect((await own('DELETE', `${tokens}/${second.data.tokenId}`)).data).toEqual({ deleted: true });
  expect((await own('DELETE', `${tokens}/${second.data.tokenId}`)).body.code).toBe('SetupTokenNotFound');
});

test('an agent joins with a delegation that the installation key has signed; again gets the same answer', async () => {
  const pool = await makePool(market);
  const token = await makeToken(market, pool, 'Node 6');
  const keys = generateKeyPair();
  const joined = await setUp(token, keys);
  expect(joined).toMatchObject({
    status: 200,
    data: {
      providerPubkey: market.provider.publicKey,
      poolId: pool,
      poolLocation: 'europe',
      agentName: 'node-6',
    },
  });
  const system = (await market.call('GET', '/api/v1/system/keys')).data;
  expect(system.installation).toBe(joined.data.installation);
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(system.keys[0].publicKey, 'hex'),
  ]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const statement = Buffer.from(JSON.stringify(joined.data.delegation));
  expect(verify(null, statement, key, Buffer.from(joined.data.delegationSignature, 'hex'))).toBe(true);
  expect((await setUp(token, keys)).data).toEqual(joined.data);
  const agents = await own('GET', `${providerPath(market)}/agents`);
  expect(
    agents.data.filter(({ agentPubkey }: { agentPubkey: string }) => agentPubkey === keys.publicKey),
  ).toHaveLength(1);
});

test('a token: unknown 404, used by another key 409 with who and when, expired 410', async () => {
  const pool = await makePool(market);
  expect(await setUp(`apt_europe_${'0'.repeat(32)}`, generateKeyPair())).toMatchObject({
    status: 404,
    body: { code: 'SetupTokenNotFound' },
  });
  const token = await makeToken(market, pool, 'node-5');
  const first = generateKeyPair();
  await setUp(token, first);
  const second = await setUp(token, generateKeyPair());
  expect(second).toMatchObject({ status: 409, body: { code: 'SetupTokenUsed' } });
  expect(second.body.detail).toMatch(
    new RegExp(`used a moment ago by key ${first.publicKey.slice(0, 4)}….* \\(node-5\\)`),
  );
  const { createHash } = await import('node:crypto');
  const secret = `apt_europe_${'1'.repeat(32)}`;
  await market.clients.tokens.create({
    metadata: { namespace: market.namespace, name: 'token-old' },
    spec: {
      poolName: pool,
      secretSHA256: createHash('sha256').update(secret).digest('hex'),
      prefix: 'apt_europe_1111',
      expiresAt: '2020-01-01T00:00:00Z',
    },
  });
  expect(await setUp(secret, generateKeyPair())).toMatchObject({
    status: 410,
    body: { code: 'SetupTokenExpired' },
  });
});

test('of ten that race with one token exactly one joins', async () => {
  const token = await makeToken(market, await makePool(market));
  const answers = await Promise.all(Array.from({ length: 10 }, () => setUp(token, generateKeyPair())));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
});

test('a crash between token and agent heals with the same key, and nobody else can use the token', async () => {
  const pool = await makePool(market);
  const token = await makeToken(market, pool, 'crashed');
  const keys = generateKeyPair();
  const { items } = await market.clients.tokens.list({
    namespace: market.namespace,
    fieldSelector: `spec.poolName=${pool}`,
  });
  const [stored] = items;
  if (!stored) throw new Error('the token is not there');
  const used = { usedAt: new Date().toISOString(), usedByKey: keys.publicKey, agentName: 'crashed' };
  await market.clients.tokens.updateStatus({ ...stored, status: used });
  expect((await setUp(token, generateKeyPair())).body.code).toBe('SetupTokenUsed');
  expect(await setUp(token, keys)).toMatchObject({ status: 200, data: { agentName: 'crashed' } });
});

test('two agents of one label get names of their own; a key joins once', async () => {
  const pool = await makePool(market);
  const names = [];
  for (let i = 0; i < 2; i++) {
    const { data } = await setUp(await makeToken(market, pool, 'twin'), generateKeyPair());
    names.push(data.agentName);
  }
  expect(names[0]).toBe('twin');
  expect(names[1]).toMatch(/^twin-[0-9a-f]{8}$/);
  const keys = generateKeyPair();
  await setUp(await makeToken(market, pool), keys);
  const again = await setUp(await makeToken(market, pool), keys);
  expect(again).toMatchObject({ status: 409, body: { code: 'AlreadyExists' } });
});

test('setup must be signed with the key that joins', async () => {
  const token = await makeToken(market, await makePool(market));
  const keys = generateKeyPair();
  const answer = await market.call('POST', '/api/v1/agents/setup', {
    key: generateKeyPair(),
    body: { token, agentPubkey: keys.publicKey },
  });
  expect(answer).toMatchObject({ status: 401, body: { code: 'SignatureInvalid' } });
});

test('cordon, drain and uncordon are seen by provider and agent', async () => {
  const agent = await joinAgent(market, await makePool(market));
  const path = `${providerPath(market)}/agents/${agent.keys.publicKey}`;
  expect((await own('POST', `${path}/cordon`, { reason: 'disk swap' })).data).toMatchObject({
    cordoned: true,
    online: true,
  });
  expect((await own('POST', `${path}/drain`)).data).toMatchObject({ cordoned: true, draining: true });
  expect((await own('POST', `${path}/uncordon`)).data).toMatchObject({ cordoned: false, draining: false });
  expect((await own('POST', `${providerPath(market)}/agents/${'0'.repeat(64)}/cordon`)).status).toBe(404);
});
