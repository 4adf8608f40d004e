/** What gives an older etcd away to a facade, what does not, and what it says until the restore is resolved. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installationOf } from '../../../api/installation.ts';
import { createProver, type Prover } from '../../../api/restore/proof.ts';
import { uidOfContractId } from '../../../crds/contract/contract.ts';
import { dataOf, resolved, WORLD, type World, worldOf } from '../../../crds/restore/world.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import { createStore, type Store } from '../../../store/store.ts';
import {
  eventually,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  type Rented,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let store: Store;
let prover: Prover;
let agent: TestAgent;
let rented: Rented;
let granted: { epoch: number; proof: string };

beforeAll(async () => {
  market = await openMarket();
  const { clients, namespace, databaseUrl = '' } = market;
  store = createStore({
    databaseUrl,
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  agent = await joinAgent(market, await makePool(market));
  prover = createProver((await installationOf({ clients, namespace })()).seed);
  rented = await rentAccepted(market, await makeOffering(market));
});
afterAll(async () => {
  await store?.close();
  await market?.close();
});

const speaker = () => ({ session: agent.session, incarnation: agent.incarnation });
const call = (method: string, path: string, body: object) =>
  market.call(method, `${providerPath(market)}/${path}`, {
    key: agent.keys,
    body: { ...speaker(), ...body },
  });
const report = (epoch: number, proof?: string) =>
  market.call('POST', `${providerPath(market)}/contracts/${rented.id}/provisioned`, {
    key: agent.keys,
    body: { session: agent.session, epoch, proof, instanceDetails: { externalId: 'vm-1', sshPort: 22 } },
  });
const world = async (): Promise<World> =>
  worldOf(await market.clients.configMaps.get({ namespace: market.namespace, name: WORLD }));

test('a grant comes with a proof, and answers with a word to keep', async () => {
  await eventually(
    async () => (await call('POST', `contracts/${rented.id}/lock`, { observedEpoch: 0 })).status === 200,
  );
  const { data } = await call('POST', `contracts/${rented.id}/lock`, { observedEpoch: 0 });
  granted = data;
  expect(data).toMatchObject({
    acquired: true,
    epoch: 1,
    proof: expect.any(String),
    heard: expect.any(String),
  });
  expect((await heartbeat(market, agent, { heard: data.heard })).data).toMatchObject({ generation: 0 });
});

test('no agent stops the market by a lie', async () => {
  const stranger = createProver('ab'.repeat(32));
  const heard = { generation: 0, resourceVersion: '999999999999' };
  expect((await heartbeat(market, agent, { heard: stranger.heardOf(heard) })).status).toBe(200);
  const contractUID = uidOfContractId(rented.id) ?? '';
  const another = prover.proofOf({ contractUID, agentUID: 'somebody-else', epoch: 7 });
  for (const proof of [undefined, granted.proof, another])
    expect(await report(7, proof)).toMatchObject({
      status: 409,
      body: { code: 'Conflict', data: { then: 'Continue' } },
    });
  expect(await world()).toMatchObject({ generation: 0, phase: 'Normal' });
});

test('a proven epoch above the contract’s reveals it: nothing is done any more, and machines are kept', async () => {
  const contractUID = uidOfContractId(rented.id) ?? '';
  const proof = prover.proofOf({ contractUID, agentUID: agent.uid, epoch: 7 });
  const refused = await report(7, proof);
  expect(refused).toMatchObject({ status: 503, body: { code: 'RestoreInProgress', retryable: true } });
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await world()).toMatchObject({
    generation: 1,
    phase: 'Resolving',
    because: 'EpochAhead',
    revealedBy: agent.uid,
  });
  for (const answer of [
    await report(1, granted.proof),
    await call('POST', `contracts/${rented.id}/lock`, { epoch: 1 }),
    await call('DELETE', `contracts/${rented.id}/lock`, { epoch: 1 }),
    await call('POST', `contracts/${rented.id}/failed`, { epoch: 1, errorMessage: 'x' }),
    await call('PUT', `contracts/${rented.id}/terminated`, { epoch: 1 }),
  ])
    expect(answer).toMatchObject({ status: 503, body: { code: 'RestoreInProgress' } });
  expect((await heartbeat(market, agent)).data).toMatchObject({ generation: 1 });
  const shown = await market.call('GET', '/api/v1/system/world');
  expect(shown.data).toMatchObject({ phase: 'Resolving', generation: 1, resolvedAt: null });
  expect((await market.call('GET', `${providerPath(market)}/work?wait=0`, { key: agent.keys })).data).toEqual(
    [],
  );
  expect((await store.restore.world()).generation).toBe(1);
});

test('only a listing of the new generation counts, and none orders anything', async () => {
  const runningInstances = [{ externalId: 'vm-1', contractId: rented.id, epoch: 7 }];
  const before = await call('POST', 'reconcile', { runningInstances });
  expect(before.data).toMatchObject({ terminate: [], unknown: [], confirm: [], deletionsSuspended: true });
  expect(await store.restore.listings(1)).toEqual([]);
  const contractUID = uidOfContractId(rented.id) ?? '';
  const proof = prover.proofOf({ contractUID, agentUID: agent.uid, epoch: 7 });
  const bare = { ...runningInstances[0], proof: granted.proof }; // of another epoch
  await call('POST', 'reconcile', { runningInstances: [bare], generation: 1 });
  expect((await store.restore.listings(1))[0]?.machines).toEqual(runningInstances);
  const proven = { ...runningInstances[0], proof };
  await call('POST', 'reconcile', { runningInstances: [proven], generation: 1 });
  expect((await store.restore.listings(1))[0]?.machines).toEqual([
    { ...runningInstances[0], isProven: true },
  ]);
  expect(await store.restore.listings(1)).toMatchObject([
    { agentUID: agent.uid, machines: runningInstances },
  ]);
});

test('evidence of the world before is no news afterwards, and grants are above all earlier ones', async () => {
  const { clients, namespace } = market;
  const ref = { namespace, name: WORLD };
  const live = await clients.configMaps.get(ref);
  if (!live) throw new Error('there is no ConfigMap');
  const data = dataOf(resolved(worldOf(live), { unclaimed: [], now: new Date() }));
  await clients.configMaps.update({ ...live, data });
  await eventually(async () => (await report(1, granted.proof)).status === 200);
  const contractUID = uidOfContractId(rented.id) ?? '';
  const proof = prover.proofOf({ contractUID, agentUID: agent.uid, epoch: 7 });
  expect((await report(7, proof)).status).toBe(409);
  const old = prover.heardOf({ generation: 0, resourceVersion: '999999999999' });
  expect((await heartbeat(market, agent, { heard: old })).status).toBe(200);
  const next = await rentAccepted(market, await makeOffering(market));
  await eventually(async () => {
    const { data: lock } = await call('POST', `contracts/${next.id}/lock`, { observedEpoch: 0 });
    return lock?.epoch === 1_000_001;
  });
  expect(await world()).toMatchObject({ generation: 1, phase: 'Normal' });
});

test('a version above the server’s reveals it', async () => {
  const heard = prover.heardOf({ generation: 1, resourceVersion: '999999999999' });
  expect((await heartbeat(market, agent, { heard })).data).toMatchObject({ generation: 2 });
  expect(await world()).toMatchObject({ generation: 2, phase: 'Resolving', because: 'VersionAhead' });
});

test('a world that is taken away or goes back behind the last restore is an older one too', async () => {
  const { clients, namespace } = market;
  await clients.configMaps.delete({ namespace, name: WORLD });
  await eventually(async () => (await world()).generation === 3);
  expect(await world()).toMatchObject({ phase: 'Resolving', because: 'GenerationAhead' });
});
