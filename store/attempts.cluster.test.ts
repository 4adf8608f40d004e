/** Attempts and dead letters on a real PostgreSQL: written again and out of order they stay what they were. */
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aContract, at, CONTRACT_UID, uidOf } from '../crds/contract/builders.ts';
import type { Attempt } from '../crds/contract/status.ts';
import { fakeClock } from '../lib/fake-clock.ts';
import { createLogger } from '../lib/log.ts';
import { createDatabase, type TestDatabase } from '../test/world/cluster.ts';
import { createStore, type Store } from './store.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createDatabase();
  const log = createLogger({ name: 'test', level: 'silent' });
  store = createStore({ databaseUrl: database.url, clock: fakeClock(), log });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const anAttempt = (epoch: number, change: Partial<Attempt> = {}): Attempt => ({
  agent: 'agent-1',
  agentUID: uidOf(1),
  epoch,
  startedAt: at(epoch * 10).toISOString(),
  endedAt: at(epoch * 10 + 5).toISOString(),
  outcome: 'Failed',
  class: 'transient',
  message: 'the disk is full',
  ...change,
});
const put = (...attempts: Attempt[]) =>
  store.attempts.put(attempts.map((attempt) => ({ contractUID: CONTRACT_UID, attempt })));

test('attempts are kept once, however often they are written, and more than the object keeps', async () => {
  const all = Array.from({ length: 20 }, (_, index) => anAttempt(index + 1));
  await put(...all.slice(0, 8));
  await put(...all.slice(4, 20));
  await put();
  expect(await store.attempts.get(CONTRACT_UID)).toEqual(all);
  expect(await store.attempts.get(uidOf(77))).toEqual([]);
});

test('an expired attempt that succeeded after all is one row, and the older word does not come back', async () => {
  const expired = anAttempt(100, { outcome: 'Expired', class: undefined, endedAt: at(2000).toISOString() });
  const { class: _none, message: _said, ...bare } = expired;
  const succeeded: Attempt = { ...bare, outcome: 'Succeeded', endedAt: at(2010).toISOString() };
  await put(expired, succeeded);
  await put(expired);
  expect((await store.attempts.get(CONTRACT_UID)).filter(({ epoch }) => epoch === 100)).toEqual([succeeded]);
});

test('what is known already is not written again', async () => {
  const pool = new Pool({ connectionString: database.url, max: 1 });
  const rows = async () =>
    (
      await pool.query('SELECT epoch, xmin, ctid FROM attempts WHERE epoch = 150 AND contract_uid = $1', [
        CONTRACT_UID,
      ])
    ).rows;
  await put(anAttempt(150));
  const before = await rows();
  expect(before).toHaveLength(1);
  await put(anAttempt(150));
  expect(await rows()).toEqual(before);
  await pool.end();
});

test('those of the last while are found, the newest first, whatever contract they are of', async () => {
  const late = [1, 2, 3].map((n) =>
    anAttempt(200 + n, { endedAt: at(100_000 + n).toISOString(), agentUID: uidOf(n) }),
  );
  await store.attempts.put(late.map((attempt, n) => ({ contractUID: uidOf(500 + n), attempt })));
  const found = await store.attempts.endedSince({ since: at(100_001), limit: 10 });
  expect(found).toEqual([
    { contractUID: uidOf(502), attempt: late[2] },
    { contractUID: uidOf(501), attempt: late[1] },
  ]);
  expect(await store.attempts.endedSince({ since: at(100_000), limit: 1 })).toEqual(found.slice(0, 1));
});

test('with the tenant, where the contract is archived', async () => {
  const ended = aContract('Cancelled', {}, { metadata: { uid: uidOf(600) } });
  await store.archive.put(ended);
  const attempt = anAttempt(1, { endedAt: at(200_000).toISOString() });
  await store.attempts.put([{ contractUID: uidOf(600), attempt }]);
  expect(await store.attempts.endedSince({ since: at(199_999), limit: 1 })).toEqual([
    { contractUID: uidOf(600), tenantKey: ended.spec.tenant.publicKey, attempt },
  ]);
});

test('what an agent says may hold anything', async () => {
  await put(anAttempt(200, { endedAt: at(9000).toISOString(), message: "a\u0000b'; DROP TABLE attempts" }));
  expect((await store.attempts.get(CONTRACT_UID)).at(-1)?.message).toBe("a\uFFFDb'; DROP TABLE attempts");
});

test('a dead letter is kept once: the first word stays, and only a new one is answered', async () => {
  const letter = {
    contractUID: CONTRACT_UID,
    key: 'Failed/7',
    namespace: 'acme',
    name: 'hello-abcdefghij',
    reason: 'AttemptsExhausted',
    message: '3 tries failed',
    by: 'operator',
    at: at(60),
    attempts: [anAttempt(1, { message: 'a\u0000b' })],
  };
  expect(await store.deadLetters.put([letter])).toEqual([letter]);
  const later = { ...letter, key: 'Debt/9', at: at(70) };
  expect(await store.deadLetters.put([{ ...letter, message: 'other words' }, later])).toEqual([later]);
  expect(await store.deadLetters.put([])).toEqual([]);
  expect(await store.deadLetters.get(CONTRACT_UID)).toEqual([letter, later]);
});
