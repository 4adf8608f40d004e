/** Six crashes out of the sweep (`crash.sweep.ts`): each process killed with SIGKILL in the middle of its work. */
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDatabase, inNamespace, type TestDatabase } from '../../world/cluster.ts';
import { type Lane, openLane } from './lane.ts';
import { runOnce } from './run-once.ts';

let lane: Lane;
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  lane = await openLane({
    kubeconfig: inject('kubeconfig'),
    folder: dirname(inject('clusterFolder')),
    namespace: await inNamespace('crash'),
    databaseUrl: database.url,
  });
});
afterAll(async () => {
  await lane?.close();
  await database?.drop();
});

test('x', async () => {
  for (const scenario of ['job', 'cancel', 'early-cancel', 'takeover'] as const) {
    const run = await runOnce(lane, { scenario });
    console.log(JSON.stringify(run, null, 1));
    expect(run.problems).toEqual([]);
  }
}, 300_000);
