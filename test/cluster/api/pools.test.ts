/** A pool at the API: all that its provider can set of it and of its agents' labels, and what kubectl shows of both. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../world/eventually.ts';
import {
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let pool: string;
beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
});
afterAll(() => market?.close());

const ask = (method: string, path: string, body?: object) =>
  market.call(method, `${providerPath(market)}/${path}`, { key: market.provider, body });
const of = ({ keys }: TestAgent, action = ''): string => `agents/${keys.publicKey}${action}`;
const objectOf = ({ name }: TestAgent) => market.clients.agents.get({ namespace: market.namespace, name });

test('all that YAML can say of a pool can be said by API, within the same limits and in the same words', async () => {
  const own = await makePool(market);
  const path = { namespace: market.namespace, name: own };
  const settings = {
    ...{ paused: false, priority: -7, lockTTLSeconds: 60, strategy: 'Pack', instancesPerAgent: 20 },
    fallbackPools: [{ name: pool, afterSeconds: 60 }],
    overcommit: { cpuPercent: 200, memoryPercent: 100, storagePercent: 100 },
    ...{ buildsPerAgent: 2, minVersion: '1.0.0', upgrade: { toVersion: '1.1.0' } },
  };
  const changed = await ask('PUT', `pools/${own}`, settings);
  expect(changed).toMatchObject({ status: 200, data: { settings: { ...settings, maintenance: [] } } });
  const { paused, priority, lockTTLSeconds, fallbackPools, minVersion, upgrade, ...placement } = settings;
  const same = { paused, priority, lockTTLSeconds, fallbackPools, minVersion, upgrade, placement };
  expect((await market.clients.pools.get(path))?.spec).toMatchObject(same);
  const taken = { fallbackPools: null, instancesPerAgent: null, buildsPerAgent: null, overcommit: null };
  await ask('PUT', `pools/${own}`, { ...taken, minVersion: null, upgrade: null });
  const { displayName, location, provisionerType, ...left } =
    (await market.clients.pools.get(path))?.spec ?? {};
  expect(left).toEqual({ paused, priority, lockTTLSeconds, placement: { strategy: 'Pack' } });

  const twice = [1, 2].map((afterSeconds) => ({ name: pool, afterSeconds }));
  for (const wrong of [{ fallbackPools: twice }, { priority: 1001 }, { lockTTLSeconds: 4 }]) {
    const refused = await ask('PUT', `pools/${own}`, wrong);
    expect(refused).toMatchObject({ status: 422, body: { code: 'ValidationFailed' } });
    const patch = { type: 'Merge', body: { spec: wrong } } as const;
    await expect(market.clients.pools.patch(path, patch)).rejects.toMatchObject({ status: 422 });
  }
});

test('a pool and an agent show what kubectl does: what is free, what waits, how attempts ended', async () => {
  const own = await makePool(market);
  const agent = await joinAgent(market, own);
  // As the operator counts it.
  const ref = { namespace: market.namespace, name: own };
  const free = { cpu: '71', memory: '212Gi' };
  const ready = { type: 'Ready', status: 'False', reason: 'Paused', message: 'It is paused' } as const;
  await eventually(async () => {
    const found = await market.clients.pools.get(ref);
    if (!found) throw new Error('there is no pool');
    const conditions = [{ ...ready, lastTransitionTime: new Date().toISOString() }];
    const counted = { waitingContracts: 3, free, attempts24h: { succeeded: 3, failed: 1 }, conditions };
    await market.clients.pools.updateStatus({ ...found, status: { ...found.status, ...counted } });
    const object = await objectOf(agent);
    if (object) await market.clients.agents.updateStatus({ ...object, status: { ...object.status, free } });
  });
  await eventually(async () => {
    const shown = { waitingContracts: 3, free, successRate24h: 0.75, ready: false, message: 'It is paused' };
    const { data } = await ask('GET', 'pools');
    expect(data).toContainEqual(expect.objectContaining({ poolId: own, ...shown }));
    expect((await ask('GET', `pools/${own}`)).data).toMatchObject({
      ...shown,
      agentList: [{ free }],
      conditions: [ready],
    });
    expect((await ask('GET', 'agents')).data).toContainEqual(
      expect.objectContaining({ agentName: agent.name, free }),
    );
  });
});

test('labels of an agent decide what it is offered, and are set by API as by kubectl', async () => {
  const own = await makePool(market);
  const agent = await joinAgent(market, own);
  const requirements = { selector: [{ key: 'disk', operator: 'In' as const, values: ['nvme'] }] };
  const { id } = await rentAccepted(market, await makeOffering(market, { poolName: own, requirements }));
  const work = async (): Promise<string[]> =>
    (await market.call('GET', `${providerPath(market)}/work`, { key: agent.keys })).data.map(
      ({ contractId }: { contractId: string }) => contractId,
    );
  expect(await work()).toEqual([]);
  const before = (await objectOf(agent))?.metadata.labels;
  const labelled = await ask('PATCH', of(agent, '/labels'), { labels: { disk: 'nvme', rack: '7' } });
  expect(labelled).toMatchObject({ status: 200, data: { labels: { disk: 'nvme', rack: '7' } } });
  await eventually(async () => expect(await work()).toEqual([id]));
  await ask('PATCH', of(agent, '/labels'), { labels: { disk: null } });
  expect((await objectOf(agent))?.metadata.labels).toEqual({ ...before, rack: '7' });
  await eventually(async () => expect(await work()).toEqual([]));
  const ours = await ask('PATCH', of(agent, '/labels'), { labels: { 'dcmarket.io/pool': 'mine' } });
  expect([ours.status, JSON.stringify(ours.body)]).toEqual([422, expect.stringContaining('not for people')]);
});
