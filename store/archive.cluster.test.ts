/** The archive, instances and idempotency keys on a real PostgreSQL. */
import fc from 'fast-check';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aContract, at, CONTRACT_UID, NOON, uidOf } from '../crds/contract/builders.ts';
import type { LiveContract } from '../crds/contract/contract.ts';
import type { HistoryEntry } from '../crds/contract/status.ts';
import { ANNOTATION } from '../crds/group.ts';
import { type FakeClock, fakeClock } from '../lib/fake-clock.ts';
import { createLogger } from '../lib/log.ts';
import { createDatabase, type TestDatabase } from '../test/world/cluster.ts';
import { createStore, type Store } from './store.ts';

const TENANT = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

let database: TestDatabase;
let clock: FakeClock;
let store: Store;
beforeAll(async () => {
  database = await createDatabase();
  clock = fakeClock();
  const log = createLogger({ name: 'test', level: 'silent' });
  store = createStore({ databaseUrl: database.url, clock, log });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const aMove = (seq: number, seconds = seq): HistoryEntry => ({
  seq,
  at: at(seconds).toISOString(),
  to: 'Accepted',
  by: 'operator',
  reason: `Move${seq}`,
});

type Ended = {
  n: number;
  tenant?: string;
  seqs?: number[];
  createdSeconds?: number;
  key?: string;
  note?: string;
};
function anEnded({
  n,
  tenant = TENANT,
  seqs = [1],
  createdSeconds = n,
  key,
  note = '',
}: Ended): LiveContract {
  const annotations = key === undefined ? {} : { annotations: { [ANNOTATION.idempotencyKey]: key } };
  return aContract(
    'Cancelled',
    { history: seqs.map((seq) => aMove(seq)), message: note },
    {
      spec: { tenant: { publicKey: tenant } },
      metadata: { uid: uidOf(n), creationTimestamp: at(createdSeconds).toISOString(), ...annotations },
    },
  );
}

describe('archive', () => {
  test('what is put is found again, exactly as it was', async () => {
    const contract = anEnded({ n: 1, seqs: [1, 2, 3] });
    await store.archive.put(contract);
    expect(await store.archive.get(uidOf(1))).toEqual({ contract, archivedAt: clock.now() });
    expect(await store.archive.get(uidOf(99))).toBeUndefined();
    expect(await store.archive.get('no uid')).toBeUndefined();
  });

  test('keeps what a tenant may write and jsonb would refuse', async () => {
    const contract = anEnded({ n: 2, note: 'nul \u0000, half a pair \ud800, "\\quoted"' });
    await store.archive.put(contract);
    expect((await store.archive.get(uidOf(2)))?.contract).toEqual(contract);
  });

  test('an older copy adds its moves but replaces nothing', async () => {
    await store.archive.put(anEnded({ n: 3, seqs: [33, 34], note: 'new' }));
    await store.archive.put(anEnded({ n: 3, seqs: [1, 2, 33], note: 'old' }));
    const kept = await store.archive.get(uidOf(3));
    expect(kept?.contract.status.message).toBe('new');
    expect(kept?.contract.status.history?.map(({ seq }) => seq)).toEqual([1, 2, 33, 34]);
  });

  test('moves of a living contract are there when it is archived', async () => {
    await store.archive.keepMoves(anEnded({ n: 4, seqs: [1, 2] }));
    expect(await store.archive.get(uidOf(4))).toBeUndefined();
    await store.archive.put(anEnded({ n: 4, seqs: [3] }));
    const history = (await store.archive.get(uidOf(4)))?.contract.status.history;
    expect(history).toEqual([aMove(1), aMove(2), aMove(3)]);
  });

  test('a cluster that was restored tells a seq twice; both are kept', async () => {
    const contract = (seconds: number): LiveContract => {
      const base = anEnded({ n: 5 });
      return { ...base, status: { ...base.status, history: [aMove(1, seconds)] } };
    };
    await store.archive.put(contract(10));
    await store.archive.put(contract(20));
    const history = (await store.archive.get(uidOf(5)))?.contract.status.history;
    expect(history).toEqual([aMove(1, 10), aMove(1, 20)]);
  });

  test('lists a tenant newest first, page by page, and nobody else', async () => {
    for (const n of [11, 12, 13, 14])
      await store.archive.put(anEnded({ n, tenant: OTHER, createdSeconds: 5 }));
    await store.archive.put(anEnded({ n: 15, tenant: OTHER, createdSeconds: 9 }));
    const seen: (string | undefined)[] = [];
    let before: { createdAt: string; uid: string } | undefined;
    for (let pages = 0; pages < 3; pages++) {
      const page = await store.archive.listByTenant({ tenantKey: OTHER, limit: 2, before });
      const last = page.at(-1)?.contract.metadata;
      seen.push(...page.map(({ contract }) => contract.metadata.uid));
      before = { createdAt: last?.creationTimestamp ?? '', uid: last?.uid ?? '' };
    }
    expect(seen).toEqual([15, 14, 13, 12, 11].map(uidOf));
    expect(await store.archive.listByTenant({ tenantKey: OTHER, limit: 9, phase: 'Failed' })).toEqual([]);
    expect(await store.archive.listByTenant({ tenantKey: 'c'.repeat(64), limit: 9 })).toEqual([]);
  });

  test('a cursor that is none is the mistake of whoever sent it', () =>
    expect(
      store.archive.listByTenant({
        tenantKey: OTHER,
        limit: 2,
        before: { createdAt: 'yesterday', uid: 'x' },
      }),
    ).rejects.toMatchObject({ code: 'ValidationFailed' }));

  test('finds a contract by the Idempotency-Key of its tenant only', async () => {
    await store.archive.put(anEnded({ n: 20, key: 'd'.repeat(64) }));
    const find = (tenantKey: string, idempotencyKey: string) =>
      store.archive.findByIdempotencyKey({ tenantKey, idempotencyKey });
    expect((await find(TENANT, 'd'.repeat(64)))?.contract.metadata.uid).toBe(uidOf(20));
    expect(await find(OTHER, 'd'.repeat(64))).toBeUndefined();
    expect(await find(TENANT, 'e'.repeat(64))).toBeUndefined();
  });

  test('whatever is put in whatever order, no move is lost and the newest copy stays', async () => {
    let n = 1_000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (copies) => {
          n += 1;
          const sorted = copies.map((seqs) => seqs.toSorted((a, b) => a - b));
          await Promise.all(
            sorted.map((seqs) => store.archive.put(anEnded({ n, seqs, note: `up to ${seqs.at(-1)}` }))),
          );
          const kept = (await store.archive.get(uidOf(n)))?.contract.status;
          const all = [...new Set(sorted.flat())].sort((a, b) => a - b);
          expect(kept?.history).toEqual(all.map((seq) => aMove(seq)));
          expect(kept?.message).toBe(`up to ${all.at(-1)}`);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('instances', () => {
  const record = { contractUID: CONTRACT_UID, epoch: 1, agentUID: uidOf(1), externalId: 'dc-1' } as const;

  test('what is known already is not written again; a new access is', async () => {
    const record = { contractUID: uidOf(77), epoch: 1, agentUID: uidOf(1), externalId: 'dc-77' };
    const put = (access?: object) =>
      store.instances.put({ ...record, event: 'Active', at: NOON, ...(access ? { access } : {}) });
    const pool = new Pool({ connectionString: database.url, max: 1 });
    const version = async () =>
      (
        await pool.query<{ row: string; access: { sshPort: number } }>(
          'SELECT xmin || ctid::text AS row, access FROM contract_instances WHERE contract_uid = $1',
          [record.contractUID],
        )
      ).rows[0];
    await put({ sshPort: 22 });
    const first = await version();
    await put({ sshPort: 22 });
    await put();
    expect(await version()).toEqual(first);
    await put({ sshPort: 23 });
    expect((await version())?.access).toEqual({ sshPort: 23 });
    await pool.end();
  });

  test('keeps the first time of each event, newest epoch first, and epochs beyond 32 bits', async () => {
    await store.instances.put({ ...record, event: 'Provisioned', at: NOON });
    await store.instances.put({ ...record, event: 'Provisioned', at: at(60) });
    await store.instances.put({ ...record, event: 'Active', at: at(5) });
    await store.instances.put({ ...record, epoch: 7_000_000_001, event: 'Provisioned', at: at(1) });
    const known = await store.instances.get(CONTRACT_UID);
    expect(known.map(({ epoch, event, at: when }) => [epoch, event, when])).toEqual([
      [7_000_000_001, 'Provisioned', at(1)],
      [1, 'Active', at(5)],
      [1, 'Provisioned', NOON],
    ]);
  });
});

describe('idempotency', () => {
  const use = {
    tenantKey: TENANT,
    bodyHash: '1'.repeat(64),
    contractNamespace: 'acme',
    contractName: 'hello-abcdefghij',
  };

  test('of twenty at once exactly one is New, and all get its record', async () => {
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        store.idempotency.claim({ ...use, keyHash: '2'.repeat(64), contractName: `hello-${n}` }),
      ),
    );
    expect(claims.filter(({ outcome }) => outcome === 'New')).toHaveLength(1);
    expect(new Set(claims.map(({ record }) => record.contractName)).size).toBe(1);
  });

  test('notes the contract once, and keys of two tenants are two', async () => {
    const key = { tenantKey: TENANT, keyHash: '3'.repeat(64) };
    await store.idempotency.claim({ ...use, ...key });
    await store.idempotency.setContract(key, { uid: uidOf(1) });
    await store.idempotency.setContract(key, { uid: uidOf(2) });
    expect(await store.idempotency.get(key)).toMatchObject({ contractUID: uidOf(1), bodyHash: use.bodyHash });
    expect(await store.idempotency.get({ ...key, tenantKey: OTHER })).toBeUndefined();
  });

  test('forgets what is older than its time to live, more than one batch of it', async () => {
    const key = { tenantKey: TENANT, keyHash: '4'.repeat(64) };
    await store.idempotency.claim({ ...use, ...key });
    expect(await store.idempotency.deleteExpired()).toBe(0);
    await clock.advance(46 * 24 * 3_600_000);
    expect(await store.idempotency.deleteExpired()).toBeGreaterThan(0);
    expect(await store.idempotency.get(key)).toBeUndefined();
  });
});
