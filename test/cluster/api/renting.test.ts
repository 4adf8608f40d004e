/** The tenant's side: offerings, renting once however often it is asked, isolation, cancel. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end } from '../../../crds/contract/steps.ts';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { signRequest } from '../../../lib/signature/sign.ts';
import {
  accept,
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  readContract,
  rent,
  SSH_KEY,
} from './harness.ts';
import { endAndRemove } from './removal.ts';

let market: Market;
let pool: string;
let offering: string;

beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
  offering = await makeOffering(market, { poolName: pool, title: 'Quick one' });
});
afterAll(() => market?.close());

const order = (tenant: KeyPair, body: object, headers: Record<string, string> = {}) =>
  market.call('POST', '/api/v1/contracts', {
    key: tenant,
    body: { offeringId: offering, sshPublicKey: SSH_KEY, ...body },
    headers,
  });

test('offerings are public: filtered, searched, paged, and answered 304 when nothing has changed', async () => {
  const names = await Promise.all(
    ['DE', 'US', 'JP'].map((country) => makeOffering(market, { country, title: `Paged-in-${country}` })),
  );
  const list = async (query: string) =>
    market.call('GET', `/api/v1/offerings?provider=${market.namespace}&${query}`);
  expect((await list('region=na')).data).toMatchObject([
    { country: 'US', region: 'na', offeringId: names[1] },
  ]);
  const wide = { regions: ['latam' as const], provisionerTypes: ['docker' as const] };
  const both = await makeOffering(market, { country: 'JP', title: 'Wide', ...wide });
  for (const query of ['region=latam', 'provisionerType=docker'])
    expect((await list(query)).data, query).toMatchObject([
      {
        offeringId: both,
        region: 'apac',
        regions: ['apac', 'latam'],
        provisionerTypes: ['script', 'docker'],
      },
    ]);
  expect((await list('country=us')).data).toHaveLength(1);
  expect((await list('q=paged%20in-de')).data).toMatchObject([{ offeringId: names[0], inStock: true }]);
  const all: string[] = [];
  let next: string | undefined = `/api/v1/offerings?provider=${market.namespace}&limit=2`;
  while (next) {
    const page = await market.call('GET', next);
    expect(page.data.length).toBeLessThanOrEqual(2);
    all.push(...page.data.map(({ offeringId }: { offeringId: string }) => offeringId));
    next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
  }
  expect(all).toEqual([...all].sort());
  expect(new Set(all).size).toBe(all.length);
  expect(all).toEqual(expect.arrayContaining([...names, offering]));
  const first = await list('country=us');
  const again = await market.call('GET', `/api/v1/offerings?provider=${market.namespace}&country=us`, {
    headers: { 'if-none-match': first.headers.get('etag') ?? '' },
  });
  expect([again.status, again.body]).toEqual([304, '']);
  const uid = first.data[0].uid;
  for (const id of [uid, encodeURIComponent(names[1] ?? ''), names[1]])
    expect((await market.call('GET', `/api/v1/offerings/${id}`)).data.uid, String(id)).toBe(uid);
});

test('what is unlisted can be rented by who knows it, what is private by nobody', async () => {
  const unlisted = await makeOffering(market, { visibility: 'Unlisted', title: 'Hidden' });
  const hidden = await makeOffering(market, { visibility: 'Private' });
  expect((await market.call('GET', '/api/v1/offerings?q=hidden')).data).toEqual([]);
  expect((await order(generateKeyPair(), { offeringId: unlisted })).status).toBe(201);
  expect((await order(generateKeyPair(), { offeringId: hidden })).body.code).toBe('NotFound');
});

test('renting keeps the terms, and says what happens next without naming a machine', async () => {
  const agent = await joinAgent(market, pool);
  const tenant = generateKeyPair();
  const { status, data } = await order(tenant, { offeringId: offering, durationHours: 48, name: 'my box' });
  expect(status).toBe(201);
  expect(data).toMatchObject({ phase: 'Requested', message: 'On its way to an agent in Europe.' });
  expect(data.name).toMatch(new RegExp(`^${offering.split('/')[1]}-[0-9a-z]{10}$`));
  const contract = await readContract(market, data.contractId);
  expect(contract.spec).toMatchObject({
    tenant: { publicKey: tenant.publicKey },
    durationHours: 48,
    termsSnapshot: { title: 'Quick one', region: 'europe', poolName: pool, provisionerType: 'script' },
  });
  const seen = await market.call('GET', `/api/v1/contracts/${data.contractId}`, { key: tenant });
  expect(seen.data).toMatchObject({ displayName: 'my box', paymentStatus: 'NotRequired', archived: false });
  expect(JSON.stringify(seen.data)).not.toContain(agent.name);
});

test('the same Idempotency-Key meets the same contract, with another body it is refused', async () => {
  const tenant = generateKeyPair();
  const key = { 'idempotency-key': 'order-1' };
  const first = await order(tenant, { durationHours: 5 }, key);
  const racing = await Promise.all(Array.from({ length: 5 }, () => order(tenant, { durationHours: 5 }, key)));
  for (const again of racing)
    expect(again).toMatchObject({ status: 200, data: { contractId: first.data.contractId } });
  const other = await order(tenant, { durationHours: 6 }, key);
  expect(other).toMatchObject({ status: 422, body: { code: 'IdempotencyKeyReused' } });
  const elsewhere = await order(tenant, { durationHours: 5, offeringId: await makeOffering(market) }, key);
  expect(elsewhere).toMatchObject({ status: 422, body: { code: 'IdempotencyKeyReused' } });
  const apart = await order(tenant, { durationHours: 5, antiAffinity: { group: 'web' } }, key);
  expect(apart).toMatchObject({ status: 422, body: { code: 'IdempotencyKeyReused' } });
  const neighbour = await order(generateKeyPair(), { durationHours: 5 }, key);
  expect(neighbour.status).toBe(201);
  const mine = await market.call('GET', '/api/v1/contracts', { key: tenant });
  expect(mine.data).toHaveLength(1);
});

test('a facade that died before it noted the contract of a key: the key meets it, even when it is archived', async () => {
  const tenant = generateKeyPair();
  const key = { 'idempotency-key': 'interrupted' };
  const { data } = await order(tenant, {}, key);
  await forgetNotes(tenant);
  await endAndRemove(market, { id: data.contractId, tenant });
  const again = await order(tenant, {}, key);
  expect(again).toMatchObject({ status: 200, data: { contractId: data.contractId } });
  expect((await market.call('GET', '/api/v1/contracts', { key: tenant })).data).toHaveLength(1);
});

test('of ten first orders at once with one key one is made', async () => {
  const tenant = generateKeyPair();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => order(tenant, {}, { 'idempotency-key': 'race' })),
  );
  expect(new Set(answers.map(({ data }) => data?.contractId)).size).toBe(1);
  expect((await market.call('GET', '/api/v1/contracts', { key: tenant })).data).toHaveLength(1);
});

test('without a key the nonce is one: another facade that gets the replay answers the same contract', async () => {
  const tenant = generateKeyPair();
  const body = JSON.stringify({ offeringId: offering, sshPublicKey: SSH_KEY });
  const url = new URL('/api/v1/contracts', market.facade.url);
  const headers = {
    ...(await signRequest(
      { method: 'POST', url, body: Buffer.from(body) },
      { seed: tenant.seed, now: new Date() },
    )),
    'content-type': 'application/json',
  };
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(201);
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(401);
  expect((await market.call('GET', '/api/v1/contracts', { key: tenant })).data).toHaveLength(1);
});

test('what cannot be rented is refused with its reason', async () => {
  const tenant = generateKeyPair();
  const priced = await makeOffering(market, { price: { amountMinor: 500, currency: 'EUR', per: 'Month' } });
  expect(await order(tenant, { offeringId: priced })).toMatchObject({
    status: 422,
    body: {
      code: 'PaymentUnavailable',
      detail: 'It costs 5.00 EUR a month, and payments are not available yet',
    },
  });
  const gone = await makeOffering(market, { stock: 0 });
  expect(await order(tenant, { offeringId: gone })).toMatchObject({
    status: 409,
    body: { code: 'OutOfStock', detail: 'Nothing of this offering is for rent now' },
  });
  expect(await order(tenant, { offeringId: 'no/such' })).toMatchObject({
    status: 404,
    body: { code: 'NotFound' },
  });
  const long = await order(tenant, { durationHours: 9000 });
  expect(long).toMatchObject({
    status: 422,
    body: {
      code: 'ValidationFailed',
      detail: '9000 hours were asked for; 1 to 8760 are allowed',
      errors: [{ field: 'durationHours', message: '9000 hours were asked for; 1 to 8760 are allowed' }],
    },
  });
  expect(await order(tenant, { sshPublicKey: 'ssh-ed25519 !' })).toMatchObject({ status: 422 });
  expect((await market.call('GET', '/api/v1/contracts', { key: tenant })).data).toEqual([]);
});

test("another tenant's contract is 404 everywhere, never 403", async () => {
  const { id } = await rent(market, offering);
  const stranger = generateKeyPair();
  for (const [method, path] of [
    ['GET', `/api/v1/contracts/${id}`],
    ['GET', `/api/v1/contracts/${id}/events`],
    ['PUT', `/api/v1/contracts/${id}/cancel`],
  ] as const)
    expect(await market.call(method, path, { key: stranger }), path).toMatchObject({
      status: 404,
      body: { code: 'NotFound' },
    });
  expect((await readContract(market, id)).spec.cancel).toBeUndefined();
});

test('a cancellation is written once and stays; what has ended cannot be cancelled', async () => {
  const { id, tenant } = await rent(market, offering);
  const path = `/api/v1/contracts/${id}/cancel`;
  expect(await market.call('PUT', path, { key: tenant, raw: 'null' })).toMatchObject({
    status: 200,
    data: { cancelRequested: true },
  });
  expect((await market.call('PUT', path, { key: tenant, body: { memo: 'again' } })).status).toBe(200);
  await accept(market, id);
  await moveContract(market, id, (status) =>
    end(status, { to: 'Cancelled', reason: 'CancelledByTenant', message: 'x', now: new Date() }),
  );
  await eventually(
    async () =>
      (await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })).data.phase === 'Cancelled',
  );
  const { id: other, tenant: owner } = await rent(market, offering);
  await accept(market, other);
  await moveContract(market, other, (status) =>
    end(status, { to: 'Failed', reason: 'x', message: 'x', now: new Date() }),
  );
  await eventually(
    async () =>
      (await market.call('GET', `/api/v1/contracts/${other}`, { key: owner })).data.phase === 'Failed',
  );
  expect(await market.call('PUT', `/api/v1/contracts/${other}/cancel`, { key: owner })).toMatchObject({
    status: 409,
    body: { code: 'IllegalMove' },
  });
});

/** As if no facade had come to note which contract an Idempotency-Key made. */
async function forgetNotes(tenant: KeyPair): Promise<void> {
  const client = new pg.Client({ connectionString: market.databaseUrl });
  await client.connect();
  const noted = 'contract_uid IS NOT NULL AND tenant_key = $1';
  await eventually(async () => {
    const { rowCount } = await client.query(
      `UPDATE idempotency_keys SET contract_uid = NULL WHERE ${noted}`,
      [tenant.publicKey],
    );
    return rowCount === 1;
  });
  await client.end();
}

test('settings must fit the schema of the offering; what was rented keeps the one that it was rented by', async () => {
  const schema = (image: string) => ({
    type: 'object',
    properties: { image: { enum: [image] }, disks: { items: { type: 'integer', minimum: 1 } } },
    additionalProperties: false,
  });
  const strict = await makeOffering(market, { poolName: pool, instanceConfigSchema: schema('debian') });
  const shown = await market.call('GET', `/api/v1/offerings/${strict}`);
  expect(shown.data.instanceConfigSchema).toEqual(schema('debian'));
  const tenant = generateKeyPair();
  const refused = await order(tenant, { offeringId: strict, instanceConfig: { disks: [1, 0], 'a/b': 1 } });
  expect(refused).toMatchObject({
    status: 422,
    body: {
      code: 'InstanceConfigInvalid',
      detail:
        'instanceConfig is not what the offering allows: /a~1b is not known to the offering; /disks/1 must be >= 1',
      errors: [
        { field: 'instanceConfig/a~1b', pointer: '/a~1b' },
        { field: 'instanceConfig/disks/1', pointer: '/disks/1', message: 'must be >= 1' },
      ],
    },
  });
  const fitting = await order(tenant, { offeringId: strict, instanceConfig: { image: 'debian' } });
  expect(fitting.status).toBe(201);
  const id: string = fitting.data.contractId;
  const [namespace = '', name = ''] = strict.split('/');
  const offered = await market.clients.offerings.get({ namespace, name });
  if (!offered) throw new Error('it is there');
  const next = { ...offered, spec: { ...offered.spec, instanceConfigSchema: schema('ubuntu') } };
  const changed = await market.clients.offerings.update(next);
  expect((await readContract(market, id)).spec.termsSnapshot?.instanceConfigSchema).toEqual(schema('debian'));
  const bad = { ...changed.spec, instanceConfigSchema: { $ref: 'https://elsewhere.example/schema' } };
  await market.clients.offerings.update({ ...changed, spec: bad });
  const ordered = async () => order(generateKeyPair(), { offeringId: strict });
  await eventually(async () => (await ordered()).body.code === 'OfferingUnavailable');
  expect((await ordered()).body).toMatchObject({
    status: 422,
    detail: expect.stringContaining(`instanceConfigSchema of offering ${name} refers at /$ref`),
  });
});
