/** From the end to the archive and out of the cluster, by a real operator; the tenant goes on reading it. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { hasEnded } from '../../crds/contract/phase.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { startOperator } from '../world/operator.ts';
import { eventually, type Market, makeOffering, makePool, openMarket, rent } from './api/harness.ts';

const RETENTION_SECONDS = 2;
let market: Market;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
beforeAll(async () => {
  const namespace = await inNamespace('retention');
  const kubeconfig = inject('kubeconfig');
  database = await createDatabase();
  const environment = { RETENTION_SECONDS: String(RETENTION_SECONDS) };
  stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace, environment });
  market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
});
afterAll(async () => {
  await stopOperator?.();
  await market?.close();
  await database?.drop();
});

test('what has ended is archived with its history, removed after its time, and listed all along', async () => {
  const offering = await makeOffering(market, { poolName: await makePool(market) });
  const tenant = generateKeyPair();
  const { id } = await rent(market, offering, tenant);
  const { id: other } = await rent(market, offering, tenant);
  const read = async () => (await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })).data;
  await eventually(async () => (await read()).phase === 'Accepted');
  await market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant });
  await eventually(async () => hasEnded((await read()).phase));
  const endedMs = systemClock.monotonicMs();
  const history = (await read()).history;

  const listed = async () =>
    (await market.call('GET', '/api/v1/contracts', { key: tenant })).data.map(
      ({ contractId }: { contractId: string }) => contractId,
    );
  const inCluster = async () =>
    (await market.clients.contracts.list({ namespace: market.namespace })).items.length;
  while ((await inCluster()) === 2) {
    expect((await listed()).sort()).toEqual([id, other].sort());
    expect(systemClock.monotonicMs() - endedMs).toBeLessThan(15_000);
    await systemClock.sleep(20);
  }
  expect(systemClock.monotonicMs() - endedMs).toBeGreaterThan((RETENTION_SECONDS - 1) * 1000);
  for (let looks = 0; looks < 20; looks++) {
    expect((await listed()).sort()).toEqual([id, other].sort());
    expect(await read()).toMatchObject({ phase: 'Cancelled', history });
    await systemClock.sleep(20);
  }
  await eventually(async () => (await read()).archived === true);
});
