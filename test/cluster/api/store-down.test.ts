/**
 * PostgreSQL is down: these are the routes that need it, and they alone answer 503. Agents, what lives, and
 * readiness go on. Down here means a port on which nothing listens.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  type Answer,
  accept,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  readContract,
  SSH_KEY,
  type TestAgent,
} from './harness.ts';

let market: Market;
let agent: TestAgent;
let offering: string;
let id: string;
const tenant = generateKeyPair();

beforeAll(async () => {
  market = await openMarket({
    withDatabase: false,
    environment: { DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none' },
  });
  const pool = await makePool(market);
  agent = await joinAgent(market, pool);
  offering = await makeOffering(market, { poolName: pool });
  const made = await market.clients.contracts.create({
    metadata: { namespace: market.namespace, name: 'live' },
    spec: {
      offering: { name: offering.split('/')[1] ?? '' },
      tenant: { publicKey: tenant.publicKey },
      sshPublicKeys: [SSH_KEY],
      powerState: 'Running',
      restart: 0,
      reinstall: 0,
      passwordReset: 0,
      retry: 0,
      termsSnapshot: {
        offeringUID: 'x',
        title: 'VPS',
        country: 'DE',
        region: 'europe',
        provisionerType: 'script',
        poolName: pool,
        resources: { cpu: '1', memory: '1Gi', storage: '1Gi' },
        price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
        allowRecreation: false,
      },
    },
  });
  id = (made.metadata.uid ?? '').replaceAll('-', '');
  await accept(market, id);
});
afterAll(() => market?.close());

const expectUnavailable = (answer: Answer): void => {
  expect(answer).toMatchObject({ status: 503, body: { code: 'StoreUnavailable', retryable: true } });
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
};

test('these need PostgreSQL: renting anew, and what may be in the archive only', async () => {
  const body = { offeringId: offering, sshPublicKey: SSH_KEY };
  expectUnavailable(await market.call('POST', '/api/v1/contracts', { key: tenant, body }));
  const unknown = 'c'.repeat(32);
  expectUnavailable(await market.call('GET', `/api/v1/contracts/${unknown}`, { key: tenant }));
  expectUnavailable(await market.call('GET', `/api/v1/contracts/${unknown}/events`, { key: tenant }));
  expectUnavailable(await market.call('PUT', `/api/v1/contracts/${unknown}/cancel`, { key: tenant }));
  const list = await market.call('GET', '/api/v1/contracts', { key: tenant });
  expect(list.data).toMatchObject([{ contractId: id }]);
  const archive = /<([^>]+)>/.exec(list.headers.get('link') ?? '')?.[1] ?? '';
  expectUnavailable(await market.call('GET', archive, { key: tenant }));
});

test('nothing was stored by the refused rental', async () => {
  const { items } = await market.clients.contracts.list({ namespace: market.namespace });
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['live']);
});

test('everything else goes on: readiness, the shop, agents from poll to report, a live contract to its cancel', async () => {
  const key = agent.keys;
  const base = `${providerPath(market)}/contracts/${id}`;
  const session = { session: agent.session, incarnation: agent.incarnation };
  const details = { externalId: 'vm', sshPort: 22 };
  const calls: readonly (readonly [string, () => Promise<Answer>])[] = [
    ['readyz', () => market.call('GET', '/readyz')],
    ['offerings', () => market.call('GET', '/api/v1/offerings')],
    ['providers', () => market.call('GET', '/api/v1/providers')],
    ['pools', () => market.call('GET', `${providerPath(market)}/pools`, { key: market.provider })],
    ['heartbeat', () => heartbeat(market, agent)],
    ['work', () => market.call('GET', `${providerPath(market)}/work?wait=2`, { key })],
    ['lock', () => market.call('POST', `${base}/lock`, { key, body: { ...session, observedEpoch: 0 } })],
    [
      'provisioned',
      () =>
        market.call('POST', `${base}/provisioned`, {
          key,
          body: { ...session, epoch: 1, instanceDetails: details },
        }),
    ],
    [
      'reconcile',
      () =>
        market.call('POST', `${providerPath(market)}/reconcile`, {
          key,
          body: { ...session, runningInstances: [] },
        }),
    ],
    ['contract', () => market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })],
    ['cancel', () => market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant })],
  ];
  for (const [name, call] of calls) expect((await call()).status, name).toBe(200);
  expect((await readContract(market, id)).status?.phase).toBe('Provisioned');
});
