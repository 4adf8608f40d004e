/** A facade whose cache lags: before anybody stops, destroys or forgets, the cluster itself is asked, and not often. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createClients } from '../../api/clients.ts';
import { aContract, someTerms } from '../../crds/contract/builders.ts';
import { contractIdOf } from '../../crds/contract/contract.ts';
import { firstStatus, terminate } from '../../crds/contract/steps.ts';
import { FINALIZER } from '../../crds/group.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { type ApiServerProxy, openApiServerProxy } from '../faults/proxy/api-server.ts';
import { inNamespace } from '../world/cluster.ts';
import {
  heartbeat,
  joinAgent,
  type Market,
  makePool,
  openMarket,
  providerPath,
  type TestAgent,
} from './api/harness.ts';

let way: ApiServerProxy;
let folder: string;
let market: Market;
let direct: KubeClient;
let agent: TestAgent;
let installation: string;
beforeAll(async () => {
  way = await openApiServerProxy(inject('kubeconfig'));
  folder = mkdtempSync(join(tmpdir(), 'dcmarket-look-'));
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  writeFileSync(kubeconfig, way.kubeconfigText);
  direct = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  // The watch of contracts brings nothing for as long as this test lasts.
  way.decide(({ resource, verb }) =>
    resource === 'contracts' && verb === 'watch' ? { type: 'WatchLag', ms: 120_000 } : { type: 'Pass' },
  );
  market = await openMarket({ cluster: { kubeconfig, namespace: await inNamespace('look') } });
  agent = await joinAgent(market, await makePool(market));
  installation = (await heartbeat(market, agent)).data.installation;
});
afterAll(async () => {
  await market.close();
  await direct.close();
  await way.close();
  rmSync(folder, { recursive: true, force: true });
});

const listings = (): number =>
  way
    .exchanges()
    .filter(
      ({ resource, verb, client }) =>
        resource === 'contracts' && verb === 'list' && client.startsWith('dcmarket-facade'),
    ).length;
const speaker = () => ({ session: agent.session, incarnation: agent.incarnation });
const inventory = (machines: readonly object[]) =>
  market.call('POST', `${providerPath(market)}/reconcile`, {
    key: agent.keys,
    body: { ...speaker(), runningInstances: machines },
  });
const machine = (contractId: string, ageMs: number) => ({
  externalId: `dc-${contractId}`,
  contractId,
  epoch: 1,
  agentUid: agent.uid,
  installation,
  createdAt: new Date(Date.now() - ageMs).toISOString(),
});
const HOUR_MS = 3_600_000;

/** Terminating, with a machine of the agent; made past the facade. */
async function makeEnding() {
  const { contracts } = createClients(direct);
  const made = await contracts.create({
    metadata: { namespace: market.namespace, name: 'past-the-cache', finalizers: [FINALIZER] },
    spec: { ...aContract('Accepted').spec, termsSnapshot: someTerms() },
  });
  const said = { message: 'past the cache', now: new Date() };
  const first = firstStatus({ to: 'Accepted', reason: 'Accepted', ...said });
  const accepted = await contracts.updateStatus({ ...made, status: first });
  const holders = [{ agent: agent.name, agentUID: agent.uid, epoch: 1 }];
  const held = { ...first, epoch: 1, holders };
  const status = terminate(held, { reason: 'CancelledByTenant', ...said });
  const { metadata } = await contracts.updateStatus({ ...accepted, status });
  return { id: contractIdOf(metadata.uid ?? ''), read: () => contracts.get(metadata) };
}

test('a contract that only the cluster knows is found, and what is confirmed about it counts', async () => {
  const { id, read } = await makeEnding();
  const { data } = await inventory([machine(id, HOUR_MS)]);
  expect(data).toMatchObject({ unknown: [], terminate: [{ contractId: id, epoch: 1 }] });
  const gone = await market.call('PUT', `${providerPath(market)}/contracts/${id}/terminated`, {
    key: agent.keys,
    body: { ...speaker(), epoch: 1 },
  });
  expect(gone).toMatchObject({ status: 200, data: { confirmed: true } });
  expect((await read())?.status?.holders ?? []).toEqual([]);
});

test('a machine of no contract causes one listing a minute for each agent, a young one none', async () => {
  const other = await joinAgent(market, await makePool(market));
  const list = (machines: readonly object[]) =>
    market.call('POST', `${providerPath(market)}/reconcile`, {
      key: other.keys,
      body: { session: other.session, incarnation: other.incarnation, runningInstances: machines },
    });
  const own = (id: string, ageMs: number) => ({ ...machine(id.repeat(32), ageMs), agentUid: other.uid });
  const before = listings();
  expect((await list([own('a', 60_000)])).data).toMatchObject({
    unknown: [],
    undecided: [`dc-${'a'.repeat(32)}`],
  });
  expect(listings()).toBe(before);
  for (let round = 0; round < 5; round++)
    expect((await list([own('b', HOUR_MS)])).data.unknown).toMatchObject([
      { externalId: `dc-${'b'.repeat(32)}` },
    ]);
  expect(listings()).toBe(before + 1);
  // Another one within the minute waits for the next listing, and what is known to be absent stays so.
  const { data } = await list([own('b', HOUR_MS), own('c', HOUR_MS)]);
  expect(data).toMatchObject({
    unknown: [{ externalId: `dc-${'b'.repeat(32)}` }],
    undecided: [`dc-${'c'.repeat(32)}`],
  });
  expect(listings()).toBe(before + 1);
});
