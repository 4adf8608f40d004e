/**
 * The term of a rental with a real operator and facade: warned, ended, kept by an extension, renewed up to a cap,
 * paused with the time credited; Events and the tenant's stream tell of it. Time passes by moving the contract's
 * instants back. Every answer to a write of a status is lost once: nothing is credited or renewed twice.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import { type ApiServerProxy, openApiServerProxy } from '../faults/proxy/api-server.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { startOperator } from '../world/operator.ts';
import {
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  mustLive,
  openMarket,
  providerPath,
  type Rented,
  readContract,
  rent,
  SSH_KEY,
  type TestAgent,
} from './api/harness.ts';

const HOUR_MS = 3_600_000;
let market: Market;
let agent: TestAgent;
let pool: string;
let way: ApiServerProxy;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
const folder = mkdtempSync(join(tmpdir(), 'dcmarket-term-'));
beforeAll(async () => {
  const namespace = await inNamespace('term');
  database = await createDatabase();
  way = await openApiServerProxy(inject('kubeconfig'));
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  writeFileSync(kubeconfig, way.kubeconfigText);
  stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace });
  market = await openMarket({
    cluster: { kubeconfig: inject('kubeconfig'), namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
  pool = await makePool(market);
  agent = await joinAgent(market, pool);
});
afterAll(async () => {
  await stopOperator?.();
  await market?.close();
  await way?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const asAgent = (method: string, path: string, body: object = {}) =>
  market.call(method, `${providerPath(market)}${path}`, {
    key: agent.keys,
    body: { session: agent.session, incarnation: agent.incarnation, ...body },
  });
const asTenant = ({ id, tenant }: Rented, method: string, path: string, body?: object) =>
  market.call(method, `/api/v1/contracts/${id}${path}`, { key: tenant, body });
const asProvider = ({ id }: Rented, what: string) =>
  market.call('PUT', `/api/v1/provider/contracts/${id}/${what}`, { key: market.provider });
const live = async ({ id }: Rented): Promise<LiveContract> => mustLive(await readContract(market, id));
const reasons = ({ status }: LiveContract): string[] => (status.history ?? []).map(({ reason }) => reason);
const until = (rented: Rented, isSo: (status: ContractStatus) => boolean): Promise<void> =>
  eventually(async () => {
    const { status } = await readContract(market, rented.id);
    return status !== undefined && isSo(status);
  });
/** Hours from the first Active to the end. */
const hoursOf = ({ status }: LiveContract): number =>
  (Date.parse(status.endsAt ?? '') - Date.parse(status.startsAt ?? '')) / HOUR_MS;

async function running(hours: number): Promise<Rented> {
  const expiry = { action: 'Pause' as const, graceHours: 24, warnHours: [24, 2] };
  const offering = await makeOffering(market, {
    poolName: pool,
    expiry,
    duration: { minHours: 1, maxHours: 120, defaultHours: hours },
  });
  const rented = await rent(market, offering);
  await eventually(
    async () => (await asAgent('POST', `/contracts/${rented.id}/lock`, { observedEpoch: 0 })).status === 200,
  );
  const instanceDetails = { externalId: 'vm', sshPort: 22, verifiedAt: new Date().toISOString() };
  await asAgent('POST', `/contracts/${rented.id}/provisioned`, { epoch: 1, instanceDetails });
  await until(rented, ({ phase }) => phase === 'Active');
  return rented;
}

const INSTANTS = ['startsAt', 'endsAt', 'pausedAt', 'graceEndsAt', 'warnedEndsAt'] as const;

let lost = 0;
/** The operator hears nothing of its next write of a status, which is carried out. */
function loseNextAnswer(): void {
  let isLost = false;
  way.decide(({ isWrite, resource, subresource }) => {
    if (isLost || !isWrite || resource !== 'contracts' || subresource !== 'status') return { type: 'Pass' };
    isLost = true;
    lost++;
    return { type: 'LoseReply' };
  });
}

/** As if so much time had passed. */
async function pass(rented: Rented, hours: number): Promise<void> {
  loseNextAnswer();
  await eventually(async () => {
    const contract = await live(rented);
    const moved = Object.fromEntries(
      INSTANTS.flatMap((name) => {
        const at = contract.status[name];
        return at ? [[name, new Date(Date.parse(at) - hours * HOUR_MS).toISOString()]] : [];
      }),
    );
    const status = { ...contract.status, ...moved };
    return market.clients.contracts.updateStatus({ ...contract, status }).then(
      () => true,
      () => false, // the operator wrote in between
    );
  });
}

test('warned, paused at its end, kept by an extension, renewed up to its cap, and over', {
  timeout: 60_000,
}, async () => {
  const rented = await running(48);
  const stream = asTenant(rented, 'GET', '/events');
  await pass(rented, 25);
  await until(rented, ({ warnedHours }) => warnedHours === 24);
  await pass(rented, 21.5);
  await until(rented, ({ warnedHours }) => warnedHours === 2);

  await pass(rented, 2);
  await until(rented, ({ phase }) => phase === 'Paused');
  expect((await live(rented)).status).toMatchObject({ reason: 'DurationEnded' });
  const shown = (await asTenant(rented, 'GET', '')).data;
  expect(shown.message).toMatch(/^The rental ended at .* Extend it by .* to keep your machine/);
  const orders = async () =>
    (await market.call('GET', `${providerPath(market)}/work?wait=2`, { key: agent.keys })).data;
  expect(await orders()).toMatchObject([{ action: 'Stop', contractId: rented.id }]);
  await asAgent('PUT', `/contracts/${rented.id}/applied`, { epoch: 1, powerState: 'Stopped' });

  expect((await asTenant(rented, 'POST', '/extend', { hours: 24 })).status).toBe(200);
  await until(rented, ({ phase }) => phase === 'Active');
  expect(hoursOf(await live(rented))).toBe(72);
  expect(await orders()).toMatchObject([{ action: 'Start', contractId: rented.id }]);
  await asAgent('PUT', `/contracts/${rented.id}/applied`, { epoch: 1, powerState: 'Running' });

  expect((await asTenant(rented, 'PUT', '/auto-renew', { hours: 24, maxHours: 96 })).status).toBe(200);
  await pass(rented, 23.7);
  await until(rented, ({ renewedHours }) => renewedHours === 24);
  expect(lost).toBe(4);
  expect(hoursOf(await live(rented))).toBe(96);
  await pass(rented, 24);
  await until(rented, ({ phase }) => phase === 'Paused'); // another renewal would pass the cap
  await pass(rented, 24);
  await until(rented, ({ phase }) => phase === 'Terminating');
  await asAgent('PUT', `/contracts/${rented.id}/terminated`, { epoch: 1 });
  await eventually(async () => (await asTenant(rented, 'GET', '')).data.phase === 'Expired');

  const over = await live(rented);
  const told = reasons(over).slice(reasons(over).indexOf('Reachable') + 1);
  expect(told.slice(0, 3)).toEqual(['EndsSoon', 'EndsSoon', 'DurationEnded']);
  expect(told.filter((reason) => reason !== 'EndsSoon')).toEqual([
    'DurationEnded',
    'PoweredOff',
    'Extended',
    'PoweredOn',
    'Renewed',
    'DurationEnded', // Paused again: another renewal would pass the cap
    'DurationEnded', // Terminating
    'DurationEnded', // Expired
  ]);
  const text = (await stream).body as string;
  expect(text).toMatch(
    /"reason":"EndsSoon","message":"The rental ends at [^"]*; extend it to keep the machine"/,
  );
  expect(text.match(/"reason":"Renewed"/g)).toHaveLength(1);
  const events = async () =>
    (
      await market.kube.raw({
        method: 'GET',
        path: `/apis/events.k8s.io/v1/namespaces/${market.namespace}/events`,
      })
    ).body as { items: { reason: string; type: string; regarding: { uid?: string } }[] };
  await eventually(async () =>
    (await events()).items.some(
      ({ reason, type, regarding }) =>
        reason === 'EndsSoon' && type === 'Warning' && regarding.uid === over.metadata.uid,
    ),
  );
});

test('time paused by the provider is credited once, and its tenant wishes on', {
  timeout: 60_000,
}, async () => {
  const rented = await running(48);
  await asProvider(rented, 'pause');
  await until(rented, ({ phase }) => phase === 'Paused');
  await pass(rented, 10);
  await asTenant(rented, 'PUT', '/ssh-keys', { sshPublicKeys: [SSH_KEY.replace(' test', ' other')] });
  // No end is kept meanwhile, since each would be too early; who asks is told what it is if it goes on now.
  expect((await live(rented)).status.endsAt).toBeUndefined();
  const toldHours = (data: { endsAt: string }) => (Date.parse(data.endsAt) - Date.now()) / HOUR_MS;
  await eventually(async () => Math.abs(toldHours((await asTenant(rented, 'GET', '')).data) - 48) < 0.1);
  const quote = await asTenant(rented, 'POST', '/extend', { hours: 2, dryRun: true });
  expect(toldHours(quote.data)).toBeCloseTo(50, 1);
  loseNextAnswer();
  const lostBefore = lost;
  await asProvider(rented, 'resume');
  await until(rented, ({ phase }) => phase === 'Active');
  const { status } = await live(rented);
  expect(lost).toBe(lostBefore + 1);
  expect((status.pausedMs ?? 0) / HOUR_MS).toBeCloseTo(10, 1);
  expect(hoursOf(await live(rented))).toBeCloseTo(58, 1);
  expect(reasons(await live(rented)).filter((reason) => reason === 'Resumed')).toHaveLength(1);
});

test('what was rented stays, although its offering changes in every term, and goes', async () => {
  const offering = await makeOffering(market, { poolName: pool, title: 'As it was' });
  const rented = await rent(market, offering);
  await until(rented, ({ phase }) => phase === 'Accepted');
  const before = await live(rented);
  const place = { namespace: market.namespace, name: offering.split('/')[1] ?? '' };
  const sold = await market.clients.offerings.get(place);
  if (!sold) throw new Error('it was just made');
  await market.clients.offerings.update({
    ...sold,
    spec: {
      ...sold.spec,
      resources: { cpu: '64', memory: '1Ti', storage: '9Ti' },
      price: { amountMinor: 99_900, currency: 'USD', per: 'Hour' },
      duration: { minHours: 1, maxHours: 2, defaultHours: 1 },
    },
  });
  await market.clients.offerings.delete(place);
  const quote = await asTenant(rented, 'POST', '/extend', { hours: 10, dryRun: true });
  expect(quote.data).toMatchObject({ durationHours: 730, price: { amountMinor: 0, currency: 'EUR' } });
  expect((await asTenant(rented, 'GET', '')).data).toMatchObject({
    offering: { title: 'As it was' },
    price: { amountMinor: 0, currency: 'EUR' },
  });
  const offered: WorkItem[] = [];
  await eventually(async () => {
    const { data } = await market.call('GET', `${providerPath(market)}/work?wait=5`, { key: agent.keys });
    offered.push(...data.filter(({ contractId }: WorkItem) => contractId === rented.id));
    return offered.length > 0;
  });
  expect(offered[0]?.contract).toMatchObject({ cpuCores: 2, memoryAmount: '4096 MB' });
  expect(await live(rented)).toMatchObject({ spec: before.spec, status: { phase: 'Accepted' } });
});
