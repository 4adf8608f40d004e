/** An operator whose host has a wrong clock, or one that jumps, ends nothing before its time. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { startOperator } from '../world/operator.ts';
import { eventually, type Market, makeOffering, openMarket, readContract, rent } from './api/harness.ts';

const DAY_MS = 86_400_000;
const wall = { aheadMs: DAY_MS };
const clock: Clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + wall.aheadMs) };

let market: Market;
let database: TestDatabase;
let offering: string;
let stop: () => Promise<void>;
beforeAll(async () => {
  const namespace = await inNamespace('clock');
  const kubeconfig = inject('kubeconfig');
  database = await createDatabase();
  stop = startOperator({ kubeconfig, databaseUrl: database.url, namespace, clock });
  market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
  offering = await makeOffering(market);
}, 60_000);
afterAll(async () => {
  await market?.close();
  await stop?.();
  await database?.drop();
});

test.each([DAY_MS, 30 * DAY_MS, -DAY_MS])('%s ms ahead', async (aheadMs) => {
  wall.aheadMs = aheadMs;
  const { id } = await rent(market, offering);
  await eventually(async () => (await readContract(market, id)).status?.scheduling !== undefined);
  const { status } = await readContract(market, id);
  expect(status?.phase).toBe('Accepted');
  expect(Math.abs(Date.parse(status?.scheduling?.at ?? '') - Date.now())).toBeLessThan(5_000);
});
