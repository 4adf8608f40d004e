/** A provider decides: requests by hand, pause and resume, the end; only in its own namespace. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstStatus } from '../../../crds/contract/steps.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  eventually,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  readContract,
  rent,
  rentAccepted,
} from './harness.ts';

let market: Market;
let offering: string;
beforeAll(async () => {
  market = await openMarket();
  offering = await makeOffering(market, { poolName: await makePool(market) });
});
afterAll(() => market?.close());

const ask = (method: string, path: string, body?: object, key = market.provider) =>
  market.call(method, `/api/v1/provider${path}`, { key, body });

/** As the operator leaves what waits for a decision. */
async function undecided(): Promise<string> {
  const { id } = await rent(market, offering);
  const contract = await readContract(market, id);
  const said = { reason: 'AwaitingDecision', message: 'by hand', now: new Date() };
  await market.clients.contracts.updateStatus({
    ...contract,
    status: firstStatus({ to: 'Requested', ...said }),
  });
  await eventually(async () =>
    (await ask('GET', '/rental-requests')).data.some((it: { contractId: string }) => it.contractId === id),
  );
  return id;
}

test('a request is listed, answered once, and an answer stays', async () => {
  const id = await undecided();
  const accepted = await ask('POST', `/rental-requests/${id}/respond`, { accept: true, memo: 'welcome' });
  expect(accepted.status).toBe(200);
  expect((await readContract(market, id)).spec.decision).toEqual({ verdict: 'Accept', note: 'welcome' });
  expect((await ask('POST', `/rental-requests/${id}/respond`, { accept: true })).status).toBe(200);
  const changed = await ask('POST', `/rental-requests/${id}/respond`, { accept: false });
  expect(changed).toMatchObject({ status: 409, body: { code: 'IllegalMove' } });
});

test('pause and resume are wishes in spec; a contract that only waits can be ended', async () => {
  const { id } = await rentAccepted(market, offering);
  expect((await ask('PUT', `/contracts/${id}/pause`, { reason: 'abuse' })).status).toBe(200);
  expect((await readContract(market, id)).spec.pause).toEqual({ requested: true, reason: 'abuse' });
  expect((await ask('PUT', `/contracts/${id}/resume`)).status).toBe(200);
  expect((await readContract(market, id)).spec.pause).toEqual({ requested: false });
  await ask('PUT', `/contracts/${id}/cancel`, { note: 'closing down' });
  expect((await readContract(market, id)).spec.cancel).toMatchObject({
    by: 'Provider',
    note: 'closing down',
  });
});

test("another provider's contract does not exist, nor does a tenant have a desk", async () => {
  const { id, tenant } = await rentAccepted(market, offering);
  for (const key of [tenant, generateKeyPair()])
    expect((await ask('PUT', `/contracts/${id}/pause`, undefined, key)).status).toBe(401);
  expect((await readContract(market, id)).spec.cancel).toBeUndefined();
});

test('auto-accept is a setting of the provider', async () => {
  expect((await ask('PUT', '/settings/auto-accept', { autoAcceptRentals: false })).status).toBe(200);
  const provider = await market.clients.providers.get({ name: market.namespace });
  expect(provider?.spec.acceptance.mode).toBe('Manual');
});

test('the rules for rentals are read and written as a whole; what is no rule is named', async () => {
  const { publicKey } = generateKeyPair();
  const rules = {
    mode: 'Automatic',
    minDurationHours: 24,
    maxDurationHours: 48,
    blockedTenants: [publicKey],
  };
  expect((await ask('PUT', '/settings/acceptance', rules)).data).toEqual(rules);
  const provider = await market.clients.providers.get({ name: market.namespace });
  expect(provider?.spec.acceptance).toEqual(rules);
  expect((await ask('GET', '/settings/acceptance')).data).toEqual(rules);
  const etag = (await ask('GET', '/settings/acceptance')).headers.get('etag') ?? '';
  await ask('PUT', '/settings/auto-accept', { autoAcceptRentals: false });
  const late = await market.call('PUT', '/api/v1/provider/settings/acceptance', {
    key: market.provider,
    body: rules,
    headers: { 'if-match': etag },
  });
  expect([late.status, late.body.code]).toEqual([412, 'PreconditionFailed']);
  expect((await ask('GET', '/settings/acceptance')).data).toEqual({ ...rules, mode: 'Manual' });
  expect((await ask('PUT', '/settings/acceptance', { mode: 'Automatic' })).data).toEqual({
    mode: 'Automatic',
  });
  for (const bad of [{ mode: 'Sometimes' }, { blockedTenants: ['nobody'] }, { vip: [publicKey] }])
    expect((await ask('PUT', '/settings/acceptance', bad)).status).toBe(422);
});
