/** What a tenant asks of its contract through the API: the spec says the same as YAML would, and refusals too. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusalOf } from '../../../crds/contract/actions.ts';
import { NO_KEY } from '../../../crds/fields.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  accept,
  eventually,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  readContract,
  rent,
  SSH_KEY,
} from './harness.ts';

let market: Market;
let offering: string;
beforeAll(async () => {
  market = await openMarket();
  const pool = await makePool(market);
  offering = await makeOffering(market, {
    poolName: pool,
    price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
    duration: { minHours: 1, defaultHours: 24, maxHours: 30 },
  });
});
afterAll(() => market?.close());

const tenant = generateKeyPair();
const OTHER_KEY = SSH_KEY.replace(' test', ' other');
const rented = async (): Promise<string> => {
  const { id } = await rent(market, offering, tenant);
  await accept(market, id);
  // Its facade has seen it: an ETag of the state before would rightly be refused.
  await eventually(async () => (await ask('GET', id, '')).data.phase === 'Accepted');
  return id;
};
const ask = (method: string, id: string, what: string, body?: object, headers?: Record<string, string>) =>
  market.call(method, `/api/v1/contracts/${id}${what}`, { key: tenant, body, headers });
const specOf = async (id: string) => (await readContract(market, id)).spec;

test('an extension is said beforehand, done, and bounded by the terms', async () => {
  const id = await rented();
  const quote = await ask('POST', id, '/extend', { hours: 6, dryRun: true });
  expect(quote).toMatchObject({ status: 200, data: { durationHours: 30, costMinor: 0, dryRun: true } });
  expect((await specOf(id)).durationHours).toBe(24);
  expect((await ask('POST', id, '/extend', { hours: 6 })).data).toMatchObject({ durationHours: 30 });
  expect((await specOf(id)).durationHours).toBe(30);
  const tooLong = await ask('POST', id, '/extend', { hours: 1 });
  expect(tooLong).toMatchObject({ status: 422, body: { code: 'ValidationFailed' } });
  expect(tooLong.body.detail).toBe('The terms allow 30 hours at most, not 31.');
});

test('a repeat of an extension whose answer was lost changes nothing twice', async () => {
  const id = await rented();
  const etag = (await ask('GET', id, '')).headers.get('etag') ?? '';
  const first = await ask('POST', id, '/extend', { hours: 2 }, { 'if-match': etag });
  const again = await ask('POST', id, '/extend', { hours: 2 }, { 'if-match': etag });
  expect([first.status, again.status, (await specOf(id)).durationHours]).toEqual([200, 412, 26]);
});

test('what adds something is carried out once for an Idempotency-Key, and another body with it is refused', async () => {
  const id = await rented();
  const etag = (await ask('GET', id, '')).headers.get('etag') ?? '';
  const key = { 'idempotency-key': `twice-${id}` };
  const first = await ask('POST', id, '/extend', { hours: 2 }, { ...key, 'if-match': etag });
  await ask('POST', id, '/extend', { hours: 1 });
  const again = await ask('POST', id, '/extend', { hours: 2 }, { ...key, 'if-match': etag });
  expect([first.status, again.status, (await specOf(id)).durationHours]).toEqual([200, 200, 27]);
  const other = await ask('POST', id, '/extend', { hours: 3 }, key);
  expect(other).toMatchObject({ status: 422, body: { code: 'IdempotencyKeyReused' } });
  const elsewhere = await ask('POST', id, '/power', { action: 'Stop' }, key);
  expect(elsewhere).toMatchObject({ status: 422, body: { code: 'IdempotencyKeyReused' } });
  expect((await specOf(id)).durationHours).toBe(27);
});

test('power, keys, renewal and name end up in the spec', async () => {
  const id = await rented();
  await ask('POST', id, '/power', { action: 'Stop' });
  await ask('PUT', id, '/ssh-keys', { sshPublicKeys: [OTHER_KEY] });
  await ask('PUT', id, '/auto-renew', { hours: 2, maxHours: 28 });
  expect(await specOf(id)).toMatchObject({
    powerState: 'Stopped',
    sshPublicKeys: [OTHER_KEY],
    autoRenew: { hours: 2, maxHours: 28 },
  });
  expect(await ask('PUT', id, '/auto-renew', { hours: 7, maxHours: 100 })).toMatchObject({
    status: 422,
    body: {
      detail: 'It would never renew itself: one renewal makes it 31 hours, and the terms allow 30 at most.',
      error: 'Renew it by 6 hours at most.',
    },
  });
  await ask('PUT', id, '/auto-renew');
  expect((await specOf(id)).autoRenew).toBeUndefined();
  const named = await ask('PATCH', id, '', { name: 'web 1', description: 'mine', labels: { env: 'prod' } });
  expect(named.data).toMatchObject({ displayName: 'web 1', description: 'mine', labels: { env: 'prod' } });
  const renamed = await ask('PATCH', id, '', { description: null, labels: {} });
  expect(renamed.data).toMatchObject({ displayName: 'web 1', description: null, labels: {} });
});

test('what the phase does not allow is refused in the words of the rule', async () => {
  const id = await rented();
  for (const [path, body, action] of [
    ['/power', { action: 'Restart' }, 'restart'],
    ['/reinstall', undefined, 'reinstall'],
  ] as const) {
    const refused = await ask('POST', id, path, body);
    expect(refused).toMatchObject({ status: 409, body: { code: 'IllegalMove' } });
    expect(refused.body.detail.toLowerCase()).toBe(`${refusalOf(action, 'Accepted').toLowerCase()}.`);
  }
});

test("another's contract does not exist, and bad input is named", async () => {
  const id = await rented();
  const stranger = await market.call('POST', `/api/v1/contracts/${id}/extend`, {
    key: generateKeyPair(),
    body: { hours: 1 },
  });
  expect([stranger.status, stranger.body.code]).toEqual([404, 'NotFound']);
  for (const [path, body, named] of [
    ['/extend', { hours: 0 }, 'hours'],
    ['/extend', { hours: 1.5 }, 'hours'],
    ['/power', { action: 'Explode' }, 'action'],
    ['/power', { action: 'Start', force: true }, 'force'],
  ] as const) {
    const bad = await ask('POST', id, path, body);
    expect(bad.status).toBe(422);
    expect(JSON.stringify(bad.body)).toContain(named);
  }
  const nobody = await ask('PUT', id, '/ssh-keys', { sshPublicKeys: [] });
  expect(nobody.status).toBe(422);
  expect(nobody.body.detail).toBe(`sshPublicKeys: ${NO_KEY}`); // as kubectl says it: docs/gitops.md
  expect((await ask('PATCH', id, '', { labels: { 'Not A Label': 'x' } })).status).toBe(422);
});
