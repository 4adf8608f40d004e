/** History in a real PostgreSQL that goes away meanwhile: nothing that was seen is lost, nothing is told twice. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { aContract, aHolder, at, CONTRACT_UID, uidOf } from '../../crds/contract/builders.ts';
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import type { Attempt, ContractStatus } from '../../crds/contract/status.ts';
import type { Change } from '../../kube/informer.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { type FlakyProxy, openFlakyProxy } from '../../store/flaky-proxy.ts';
import { createStore, type Store } from '../../store/store.ts';
import { createDatabase, type TestDatabase } from '../../test/world/cluster.ts';
import { keepChronicle } from './chronicle.ts';
import { createLedger } from './ledger.ts';

const log = createLogger({ name: 'test', level: 'silent' });
let database: TestDatabase;
let proxy: FlakyProxy;
let store: Store;
let stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  proxy = await openFlakyProxy(database.url);
  store = createStore({ databaseUrl: proxy.url, clock: systemClock, log });
  await store.migrate();
});
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
  await store.close();
  await proxy.close();
});

/** What an informer of contracts would say, said by the test. */
function begin(existing: readonly Contract[] = []) {
  const told: string[] = [];
  const stopping = new AbortController();
  let hear: (change: Change<Contract>) => void = () => {};
  const running = keepChronicle(
    {
      contracts: {
        onChange: (handler) => {
          hear = handler;
          for (const object of existing) handler({ type: 'Added', object, isInitialList: true });
          return () => {};
        },
      },
      store,
      tell: (_contract, giveUp) => void told.push(giveUp.reason),
      clock: systemClock,
      log,
    },
    stopping.signal,
  );
  stops.push(async () => {
    stopping.abort();
    await running;
  });
  return { told, see: (old: Contract, object: Contract) => hear({ type: 'Updated', old, object }) };
}

const attempt = (epoch: number, change: Partial<Attempt> = {}): Attempt => ({
  agent: 'agent-1',
  agentUID: uidOf(1),
  epoch,
  startedAt: at(epoch).toISOString(),
  endedAt: at(epoch + 1).toISOString(),
  outcome: 'Failed',
  class: 'transient',
  ...change,
});
const having = (
  n: number,
  change: Partial<ContractStatus> = {},
  phase: 'Accepted' | 'Failed' = 'Accepted',
): LiveContract => aContract(phase, change, { metadata: { uid: uidOf(n) } });
const eventually = { timeout: 15_000, interval: 50 };
const epochsOf = async (n: number) => (await store.attempts.get(uidOf(n))).map(({ epoch }) => epoch);

test('attempts that the object has forgotten are written once PostgreSQL is back', async () => {
  await proxy.fail('Cut');
  const { see } = begin();
  let old = having(501);
  for (let epoch = 1; epoch <= 12; epoch++) {
    const kept = [...(old.status.attempts ?? []), attempt(epoch)].slice(-8);
    const next = having(501, { attempts: kept });
    see(old, next);
    old = next;
  }
  await proxy.heal();
  await expect.poll(() => epochsOf(501), eventually).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

const failedStatus: Partial<ContractStatus> = {
  message: 'All 3 tries to build it failed',
  attempts: [attempt(1)],
  abandoned: [{ ...aHolder(2, 4), at: at(5).toISOString(), how: 'Forced', by: 'ada', reason: 'burnt down' }],
  history: [
    {
      seq: 9,
      at: at(9).toISOString(),
      from: 'Accepted',
      to: 'Failed',
      by: 'operator',
      reason: 'AttemptsExhausted',
    },
  ],
};

test('a give-up is told at once and written later, each exactly once, also across a restart', async () => {
  await proxy.fail('Cut');
  const first = begin();
  const failed = having(502, failedStatus, 'Failed');
  first.see(having(502), failed);
  first.see(failed, having(502, { ...failedStatus, observedGeneration: 2 }, 'Failed'));
  expect(first.told).toEqual(['AttemptsExhausted', 'ForceReleased']);
  await proxy.heal();
  const rows = () => store.deadLetters.get(uidOf(502));
  await expect.poll(async () => (await rows()).length, eventually).toBe(2);
  expect(await rows()).toMatchObject([
    { reason: 'ForceReleased', by: 'ada', attempts: [{ epoch: 1 }] },
    { reason: 'AttemptsExhausted', by: 'operator', message: 'All 3 tries to build it failed' },
  ]);
  const second = begin([failed, having(503, { attempts: [attempt(1)] })]);
  await expect.poll(() => epochsOf(503), eventually).toEqual([1]);
  await expect.poll(async () => (await rows()).length, eventually).toBe(2);
  expect(second.told).toEqual([]);
});

test('one that a killed operator could not tell any more is told by the next', async () => {
  const { told } = begin([having(504, failedStatus, 'Failed')]);
  await expect.poll(() => told, eventually).toEqual(['AttemptsExhausted', 'ForceReleased']);
  expect(await store.deadLetters.get(uidOf(504))).toHaveLength(2);
});

test('a record that the database refuses does not hold up the others', async () => {
  const { see } = begin();
  const bad = aContract('Accepted', { attempts: [attempt(1)] }, { metadata: { uid: 'no-uuid' } });
  see(aContract('Accepted', {}, { metadata: { uid: 'no-uuid' } }), bad);
  see(having(505), having(505, { attempts: [attempt(1), attempt(2)] }));
  await expect.poll(() => epochsOf(505), eventually).toEqual([1, 2]);
});

test('a contract that goes into the archive takes its attempts and give-ups with it', async () => {
  const contract = aContract('Failed', failedStatus);
  await createLedger(store).archive(contract);
  expect(await store.attempts.get(CONTRACT_UID)).toEqual(failedStatus.attempts);
  expect(await store.deadLetters.get(CONTRACT_UID)).toHaveLength(2);
});
