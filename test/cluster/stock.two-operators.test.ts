/**
 * The last units of an offering under two operators: the leader stalls with its reservation on the way, is deposed,
 * and its write arrives when the other one has sold the unit. Never are more contracts accepted than there are units.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Contract } from '../../crds/contract/contract.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import type { Offering } from '../../crds/offering.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { LEASES, type Lease } from '../../kube/lease.ts';
import type { KubeObject } from '../../kube/object.ts';
import { systemClock } from '../../lib/clock.ts';
import { openApiServerProxy } from '../faults/proxy/api-server.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { resourceOf } from '../world/market.ts';
import { startOperator } from '../world/operator.ts';
import { EXAMPLES } from './examples.ts';

const timing = { leaseDurationMs: 2000, renewDeadlineMs: 1500, retryPeriodMs: 200, watchStallMs: 3000 };
const LATE_MS = 7000;
const UNITS = 2;
const ASKED = 6;

let client: KubeClient;
let namespace: string;
let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  namespace = await inNamespace('last-unit');
  database = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'dcmarket-stock-'));
  await make('Provider', namespace, {
    publicKey: 'd'.repeat(60) + namespace.slice(-4).replace(/[^0-9a-f]/g, '0'),
    namespace,
  });
  await make('Offering', 'scarce', { stock: UNITS });
});
afterAll(async () => {
  await client.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const make = (kind: string, name: string, spec: object) =>
  resourceOf<KubeObject>(client, kind).create({
    ...EXAMPLES[kind],
    metadata: kind === 'Provider' ? { name } : { name, namespace },
    spec: { ...EXAMPLES[kind]?.spec, ...spec },
  } as unknown as KubeObject); // the example, as a person writes it
const rent = (name: string) => make('Contract', name, { offering: { name: 'scarce' } });
const contracts = () => resourceOf<Contract>(client, 'Contract');
const reserved = async (): Promise<readonly string[]> =>
  (await resourceOf<Offering>(client, 'Offering').get({ namespace, name: 'scarce' }))?.status?.reserved ?? [];
const accepted = async (): Promise<string[]> =>
  (await contracts().list({ namespace })).items
    .filter(({ status }) => status && status.phase !== 'Requested' && !hasEnded(status.phase))
    .map(({ metadata }) => metadata.uid ?? '');

function start(identity: string, kubeconfigText: string): () => Promise<void> {
  const kubeconfig = join(folder, `${identity}.yaml`);
  writeFileSync(kubeconfig, kubeconfigText);
  return startOperator({ kubeconfig, databaseUrl: database.url, namespace, identity, timing });
}
const leads = async (identity: string): Promise<void> => {
  await eventually(async () => {
    const lease = await client.resource<Lease>(LEASES).get({
      namespace,
      name: 'dcmarket-operator',
    });
    expect(lease?.spec?.holderIdentity).toBe(identity);
  });
};

test('the last unit is sold once, although a deposed leader reserved it too', {
  timeout: 60_000,
}, async () => {
  const way = await openApiServerProxy(inject('kubeconfig'));
  const stopFirst = start('first', way.kubeconfigText);
  await leads('first');
  const direct = await openApiServerProxy(inject('kubeconfig'));
  const stopSecond = start('second', direct.kubeconfigText);

  let stalledMs: number | undefined;
  const late: { status: number; resource: string }[] = [];
  way.decide(({ isWrite, resource, verb, subresource }) => {
    if (stalledMs === undefined && resource === 'offerings' && isWrite && subresource === 'status') {
      stalledMs = systemClock.monotonicMs();
      way.breakWatches('Stall');
    }
    if (stalledMs === undefined) return { type: 'Pass' };
    const leftMs = stalledMs + LATE_MS - systemClock.monotonicMs();
    if (leftMs > 0) return { type: 'Delay', ms: leftMs };
    if (!isWrite) return { type: 'Pass' };
    const run = async (status: number): Promise<void> =>
      void late.push({ status, resource: `${verb} ${resource}` });
    return { type: 'AfterCommit', run, reply: 'Send' };
  });
  await Promise.all(Array.from({ length: ASKED }, (_, n) => rent(`asks-${n}`)));
  await leads('second');
  await eventually(async () => expect(await accepted()).toHaveLength(UNITS));
  expect(stalledMs).toBeDefined();

  // From here until long after the late writes: never one more, and who is accepted has the unit.
  const untilMs = (stalledMs ?? 0) + LATE_MS + 3000;
  while (systemClock.monotonicMs() < untilMs) {
    const [now, units] = [await accepted(), await reserved()];
    expect(now.length).toBeLessThanOrEqual(UNITS);
    expect(units.length).toBeLessThanOrEqual(UNITS);
    await systemClock.sleep(50);
  }
  expect((await accepted()).sort()).toEqual([...(await reserved())].sort());
  expect(late.filter(({ status, resource }) => status < 300 && /offerings|contracts/.test(resource))).toEqual(
    [],
  );

  // One is given back: the next in line gets it, and nobody else.
  const [winner] = (await contracts().list({ namespace })).items.filter(
    ({ status }) => status?.phase === 'Accepted',
  );
  await contracts().delete(winner?.metadata ?? { name: '' });
  await eventually(async () => {
    const now = await accepted();
    expect(now).not.toContain(winner?.metadata.uid);
    expect(now).toHaveLength(UNITS);
  });
  await Promise.all([stopFirst(), stopSecond()]);
  await Promise.all([way.close(), direct.close()]);
});
