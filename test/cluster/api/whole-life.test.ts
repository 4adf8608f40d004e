/** Facade and operator together, in a cluster of their own: from the order to Active, and from the cancel to the end. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ControlPlane } from '../../../dev/control-plane/run.ts';
import { createKubeClient } from '../../../kube/client.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { readConfig } from '../../../operator/config.ts';
import { runOperator } from '../../../operator/run.ts';
import { createDatabase, type TestDatabase } from '../../world/cluster.ts';
import { openWorld, type World } from '../../world/world.ts';
import {
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  rent,
} from './harness.ts';

const stop = new AbortController();
let world: World;
let controlPlane: ControlPlane;
let market: Market;
let database: TestDatabase;
let operator: Promise<void>;

beforeAll(async () => {
  world = await openWorld();
  controlPlane = await world.startControlPlane();
  const { kubeconfig } = controlPlane;
  const kube = createKubeClient({ kubeconfig: { file: kubeconfig } });
  const namespace = 'whole-life';
  await kube.raw({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  await kube.close();
  database = await createDatabase();
  operator = runOperator({
    config: readConfig({
      KUBECONFIG: kubeconfig,
      DATABASE_URL: database.url,
      METRICS_PORT: '0',
      METRICS_HOST: '127.0.0.1',
      LEASE_NAMESPACE: namespace,
      LOG_LEVEL: 'silent',
    }),
    log: createLogger({ name: 'operator', level: 'silent' }),
    clock: systemClock,
    identity: 'test',
    signal: stop.signal,
  });
  operator.catch(() => undefined);
  market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
});
afterAll(async () => {
  await market?.close();
  stop.abort(new Error('the test is over'));
  await operator;
  await database?.drop();
  await world?.close();
});

test('order, claim, report, Active, cancel, destroy, Cancelled: each step as the tenant and the agent see it', async () => {
  const pool = await makePool(market);
  const offering = await makeOffering(market);
  const agent = await joinAgent(market, pool);
  const tenant = generateKeyPair();
  const { id } = await rent(market, offering, tenant);
  const events = market.call('GET', `/api/v1/contracts/${id}/events`, { key: tenant });
  const work = () => market.call('GET', `${providerPath(market)}/work?wait=10`, { key: agent.keys });
  const speaker = { session: agent.session, incarnation: agent.incarnation };
  const base = `${providerPath(market)}/contracts/${id}`;

  const [item] = (await work()).data;
  expect(item).toMatchObject({ action: 'Provision', contractId: id });
  const grant = await market.call('POST', `${base}/lock`, {
    key: agent.keys,
    body: { ...speaker, observedEpoch: item.epoch },
  });
  expect(grant.data).toMatchObject({ acquired: true, epoch: 1 });
  await market.call('POST', `${base}/provisioned`, {
    key: agent.keys,
    body: {
      epoch: 1,
      session: agent.session,
      instanceDetails: {
        externalId: 'vm-1',
        ipAddress: '198.51.100.7',
        sshPort: 22,
        hostKeyFingerprint: 'SHA256:abcdefghijklmnop',
        verifiedAt: new Date().toISOString(),
      },
    },
  });
  const contract = async () => (await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })).data;
  await eventually(async () => (await contract()).phase === 'Active');
  expect(await contract()).toMatchObject({
    message: 'Your machine runs at 198.51.100.7:22.',
    access: { host: '198.51.100.7', port: 22, hostKeyFingerprint: 'SHA256:abcdefghijklmnop' },
    startsAt: expect.any(String),
    endsAt: expect.any(String),
  });
  const kept = await market.call('POST', `${providerPath(market)}/reconcile`, {
    key: agent.keys,
    body: { ...speaker, runningInstances: [{ externalId: 'vm-1', contractId: id, epoch: 1 }] },
  });
  expect(kept.data).toMatchObject({
    keep: [{ externalId: 'vm-1' }],
    terminate: [],
    unknown: [],
    confirm: [],
  });

  await market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant });
  const destroy = (await work()).data;
  expect(destroy).toEqual([{ action: 'Destroy', contractId: id, epoch: 1, externalId: 'vm-1' }]);
  const gone = await market.call('PUT', `${base}/terminated`, {
    key: agent.keys,
    body: { ...speaker, epoch: 1 },
  });
  expect(gone.data).toEqual({ confirmed: true });
  await eventually(async () => (await contract()).phase === 'Cancelled');
  const told = (await events).body.match(/(?<=^event: ).*$/gm);
  expect(told.slice(-6)).toEqual([
    'Accepted',
    'Provisioning',
    'Provisioned',
    'Active',
    'Terminating',
    'Cancelled',
  ]);
});

test('without the API server what is cached is still read, and whatever needs it is 503 with Retry-After', async () => {
  const agent = await joinAgent(market, await makePool(market));
  const { id, tenant } = await rent(market, await makeOffering(market));
  await controlPlane.stop();
  expect((await market.call('GET', '/healthz')).status).toBe(200);
  expect((await market.call('GET', '/api/v1/offerings')).data.length).toBeGreaterThan(0);
  expect((await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })).status).toBe(200);
  await eventually(async () => (await market.call('GET', '/readyz')).body.code === 'ClusterUnavailable');
  for (const answer of [
    await market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant }),
    await market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, { key: agent.keys }),
    await market.call('POST', `${providerPath(market)}/pools`, {
      key: market.provider,
      body: { name: 'late', location: 'na', provisionerType: 'script' },
    }),
  ]) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'ClusterUnavailable', retryable: true } });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(JSON.stringify(answer.body)).not.toMatch(/ECONN|127\.0\.0\.1/);
  }
});
