import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aContract, uidOf } from '../crds/contract/builders.ts';
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
  await store?.close();
  await database?.drop();
});

const machine = (contract: number, epoch: number, agent = 1) => ({
  contractUID: uidOf(contract),
  epoch,
  agentUID: uidOf(agent),
  externalId: `dc-${contract}`,
});
const put = (contract: number, epoch: number, event: 'Provisioned' | 'Active', second = 0) =>
  store.instances.put({
    ...machine(contract, epoch),
    event,
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
  });

describe('the generation', () => {
  test('only rises, and a resourceVersion belongs to its generation', async () => {
    expect(await store.restore.world()).toEqual({ generation: 0, resourceVersion: '0' });
    await store.restore.saw({ generation: 0, resourceVersion: '90071992547409931' });
    await store.restore.saw({ generation: 0, resourceVersion: '5' });
    expect((await store.restore.world()).resourceVersion).toBe('90071992547409931');
    expect(await store.restore.raiseByOne()).toEqual({ generation: 1, resourceVersion: '0' });
    expect((await store.restore.raise(3)).generation).toBe(3);
    await store.restore.saw({ generation: 1, resourceVersion: '7' });
    expect(await store.restore.raise(2)).toEqual({ generation: 3, resourceVersion: '0' });
  });
});

test('the last listing of an agent counts, and only of its generation', async () => {
  const list = (externalId: string) =>
    store.restore.putListing({ generation: 2, agentUID: uidOf(1), machines: [{ externalId, epoch: 1 }] });
  await list('a');
  await list('b');
  expect(await store.restore.listings(2)).toMatchObject([
    { agentUID: uidOf(1), machines: [{ externalId: 'b' }] },
  ]);
  await store.restore.dropListings(3);
  expect(await store.restore.listings(2)).toEqual([]);
});

test('listings come in the same order every time, and say which machines are proven', async () => {
  for (const agent of [3, 1, 2])
    await store.restore.putListing({
      generation: 4,
      agentUID: uidOf(agent),
      machines: [{ externalId: 'a', epoch: 1, isProven: true }],
    });
  const listings = await store.restore.listings(4);
  expect(listings.map(({ agentUID }) => agentUID)).toEqual([1, 2, 3].map(uidOf));
  expect(listings[0]?.machines).toEqual([{ externalId: 'a', epoch: 1, isProven: true }]);
});

test('live is the newest machine that was neither moved nor ended, nor archived with its contract', async () => {
  await put(10, 1, 'Active');
  await put(10, 3, 'Provisioned');
  await put(11, 1, 'Active');
  await store.restore.closeBelow(uidOf(11), 2);
  await put(12, 1, 'Active');
  await store.restore.closeAll(uidOf(12), 'DurationEnded');
  await put(13, 2, 'Active');
  await store.archive.put(aContract('Cancelled', { epoch: 2 }, { metadata: { uid: uidOf(13) } }));
  await put(14, 1, 'Active');
  const first = await store.restore.liveMachines({ limit: 1 });
  expect(first).toEqual([machine(10, 3)]);
  expect(await store.restore.liveMachines({ after: uidOf(10), limit: 9 })).toEqual([machine(14, 1)]);
});

test('of two agents of one machine the later is its agent: it was inherited', async () => {
  await put(15, 2, 'Active');
  await store.instances.put({
    ...machine(15, 2, 2),
    event: 'Active',
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, 9)),
  });
  expect(await store.restore.liveMachines({ after: uidOf(14), limit: 9 })).toEqual([machine(15, 2, 2)]);
  const facts = (await store.restore.factsOf([uidOf(15)])).get(uidOf(15));
  expect(facts?.inStore).toMatchObject({ agentUID: uidOf(2), activeAt: '2026-01-01T00:00:00.000Z' });
});

test('the facts of contracts: their machine, their end, what is closed', async () => {
  const access = { host: '198.51.100.7', port: 22 };
  await store.instances.put({ ...machine(20, 1), event: 'Provisioned', at: new Date(0), access });
  await put(20, 1, 'Active', 30);
  await put(21, 1, 'Active');
  await store.restore.closeBelow(uidOf(21), 2);
  await put(22, 4, 'Active');
  await store.restore.closeAll(uidOf(22), 'CancelledByTenant');
  await store.restore.closeAll(uidOf(22), 'said twice');
  const archived = aContract(
    'Expired',
    { epoch: 5, reason: 'DurationEnded' },
    { metadata: { uid: uidOf(23) } },
  );
  await store.archive.put(archived);
  const facts = await store.restore.factsOf([20, 21, 22, 23, 24].map(uidOf));
  expect(Object.fromEntries([...facts].map(([uid, it]) => [Number(uid.slice(-12)), it]))).toMatchObject({
    20: {
      inStore: { epoch: 1, externalId: 'dc-20', access, activeAt: '2026-01-01T00:00:30.000Z' },
      closed: [],
    },
    21: { closed: [{ epoch: 1, externalId: 'dc-21' }] },
    22: { ended: { epoch: 4, reason: 'CancelledByTenant' } },
    23: { ended: { epoch: 5, phase: 'Expired', reason: 'DurationEnded' } },
  });
  expect(facts.get(uidOf(21))?.inStore).toBeUndefined();
  expect(facts.get(uidOf(22))?.inStore).toBeUndefined();
  expect(facts.has(uidOf(24))).toBe(false);
});
