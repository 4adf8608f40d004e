/** What was deleted and is kept by its finalizer: not sold, not joined, and its name not free yet. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IN_USE_FINALIZER } from '../../../crds/group.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  eventually,
  type Market,
  makeOffering,
  makePool,
  makeToken,
  openMarket,
  providerPath,
  SSH_KEY,
} from './harness.ts';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market?.close());

const FINALIZERS = { type: 'Merge', body: { metadata: { finalizers: [IN_USE_FINALIZER] } } } as const;
const refused = async (offeringId: string) =>
  (await market.call('GET', `/api/v1/offerings/${offeringId}`)).status === 404;

test('a pool: its tokens join nobody, and another of its name can be made later', async () => {
  const { clients, namespace } = market;
  const pool = await makePool(market, 'Going Away');
  const token = await makeToken(market, pool);
  await clients.pools.patch({ namespace, name: pool }, FINALIZERS);
  const own = { key: market.provider };
  expect((await market.call('DELETE', `${providerPath(market)}/pools/${pool}`, own)).status).toBe(200);
  const keys = generateKeyPair();
  const joining = { key: keys, body: { token, agentPubkey: keys.publicKey } };
  expect((await market.call('POST', '/api/v1/agents/setup', joining)).body).toMatchObject({
    code: 'SetupTokenNotFound',
    detail: 'The pool of this setup token does not exist any more.',
  });
  const wanted = { name: 'Going Away', location: 'europe', provisionerType: 'script' };
  const again = () => market.call('POST', `${providerPath(market)}/pools`, { ...own, body: wanted });
  expect(await again()).toMatchObject({
    status: 409,
    body: { code: 'Conflict', detail: `The pool ${pool} was deleted, and is not gone yet.` },
  });
  await clients.pools.patch(
    { namespace, name: pool },
    { type: 'Merge', body: { metadata: { finalizers: [] } } },
  );
  expect((await again()).status).toBe(201);
});

test('an offering cannot be rented any more, and none of a provider that goes', async () => {
  const { clients, namespace } = market;
  const [gone, left] = [await makeOffering(market), await makeOffering(market)];
  const name = gone.split('/')[1] ?? '';
  await clients.offerings.patch({ namespace, name }, FINALIZERS);
  await clients.offerings.delete({ namespace, name });
  await eventually(() => refused(gone));
  const body = { offeringId: gone, sshPublicKey: SSH_KEY };
  expect((await market.call('POST', '/api/v1/contracts', { key: generateKeyPair(), body })).status).toBe(404);
  expect(await refused(left)).toBe(false);
  await clients.providers.patch({ name: namespace }, FINALIZERS);
  await clients.providers.delete({ name: namespace });
  await eventually(() => refused(left));
});
