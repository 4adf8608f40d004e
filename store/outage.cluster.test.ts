/** A database that stops, hangs or goes away: fast StoreUnavailable, no crash, and back by itself. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CONTRACT_UID } from '../crds/contract/builders.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/log.ts';
import { createDatabase, type TestDatabase } from '../test/world/cluster.ts';
import { DEADLINE_MS } from './database.ts';
import { type FlakyProxy, openFlakyProxy } from './flaky-proxy.ts';
import { createStore, type Store } from './store.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const unavailable = { name: 'Problem', code: 'StoreUnavailable', retryable: true };
/** Connecting and the statement have a deadline each. */
const LONGEST_MS = 2 * DEADLINE_MS + 500;

let database: TestDatabase;
let proxy: FlakyProxy;
let store: Store;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  proxy = await openFlakyProxy(database.url);
  store = createStore({ databaseUrl: proxy.url, clock: systemClock, log, poolSize: 3 });
  await store.migrate();
});
afterEach(async () => {
  await proxy.close();
  await store.close();
});

describe.each(['Cut', 'Freeze'] as const)('%s', (how) => {
  test('every call says StoreUnavailable before its deadline, and works again once it is back', async () => {
    await Promise.all([store.instances.get(CONTRACT_UID), store.instances.get(CONTRACT_UID)]);
    await proxy.fail(how);
    const calls = [
      () => store.archive.get(CONTRACT_UID),
      () => store.archive.listByTenant({ tenantKey: '1'.repeat(64), limit: 1 }),
      () => store.instances.get(CONTRACT_UID),
      () => store.idempotency.get({ tenantKey: '1'.repeat(64), keyHash: '2'.repeat(64) }),
      () => store.idempotency.deleteExpired(),
    ];
    const startedMs = systemClock.monotonicMs();
    // More calls than connections: those that queue for one give up in time too.
    await Promise.all(calls.map((call) => expect(call()).rejects.toMatchObject(unavailable)));
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(LONGEST_MS);
    expect(await store.ready()).toBe(false);

    await proxy.heal();
    await expect.poll(() => store.ready(), { timeout: 5_000 }).toBe(true);
    expect(await store.instances.get(CONTRACT_UID)).toEqual([]);
  });
});

test('starts while the database is away, and migrates when it is back', async () => {
  await proxy.fail('Cut');
  const early = createStore({ databaseUrl: proxy.url, clock: systemClock, log });
  await expect(early.migrate()).rejects.toMatchObject(unavailable);
  expect(await early.ready()).toBe(false);
  await proxy.heal();
  expect(await early.migrate()).toEqual([]);
  expect(await early.ready()).toBe(true);
  await early.close();
  await expect(early.archive.get(CONTRACT_UID)).rejects.toMatchObject(unavailable);
});

test('a database without its tables, a wrong name or password is StoreUnavailable and not our mistake', async () => {
  const bare = await createDatabase();
  const empty = createStore({ databaseUrl: bare.url, clock: systemClock, log });
  await expect(empty.archive.get(CONTRACT_UID)).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining('migrations'),
  });
  await empty.close();
  await bare.drop();

  const missing = new URL(database.url);
  missing.pathname = '/no_such_database';
  const lost = createStore({ databaseUrl: missing.href, clock: systemClock, log });
  await expect(lost.archive.get(CONTRACT_UID)).rejects.toMatchObject(unavailable);
  await lost.close();
});

test('what tenants read names no address, user or database', async () => {
  await proxy.fail('Cut');
  const error: unknown = await store.archive.get(CONTRACT_UID).catch((thrown: unknown) => thrown);
  expect(String(error)).toBe('Problem: the database does not answer');
});
