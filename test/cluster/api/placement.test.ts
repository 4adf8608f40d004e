/** Who is offered what, when, and what is said of it: the rules of crds/placement through work list, lock and view. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AgentPool } from '../../../crds/agent-pool.ts';
import type { Attempt } from '../../../crds/contract/status.ts';
import {
  changeAgent,
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  providerPath,
  type Rented,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let pool: string;
beforeAll(async () => {
  market = await openMarket({ environment: { HEAD_START_SECONDS: '1.5' } });
});
afterAll(() => market?.close());
beforeEach(async () => {
  pool = await makePool(market);
});

const changePool = async (name: string, spec: Partial<AgentPool['spec']>): Promise<void> => {
  const found = await market.clients.pools.get({ namespace: market.namespace, name });
  if (!found) throw new Error(`no pool ${name}`);
  await market.clients.pools.update({ ...found, spec: { ...found.spec, ...spec } });
};
const work = async (agent: TestAgent, waitSeconds = 0): Promise<string[]> => {
  const path = `${providerPath(market)}/work?wait=${waitSeconds}`;
  const { data } = await market.call('GET', path, { key: agent.keys });
  return data
    .filter(({ action }: { action: string }) => action === 'Provision')
    .map(({ contractId }: { contractId: string }) => contractId);
};
const claim = (agent: TestAgent, id: string) =>
  market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
    key: agent.keys,
    body: { session: agent.session, incarnation: agent.incarnation },
  });
const seenBy = async (key: Market['provider'], id: string) =>
  (await market.call('GET', `/api/v1/contracts/${id}`, { key })).data;
const rentHere = async (more: Parameters<typeof makeOffering>[1] = {}): Promise<Rented> =>
  rentAccepted(market, await makeOffering(market, { poolName: pool, ...more }));
/** As its first heartbeat would have said: a later one is kept only after a while. */
async function roomFor({ name }: TestAgent, cpu: number): Promise<void> {
  const agent = await market.clients.agents.get({ namespace: market.namespace, name });
  if (!agent) throw new Error(`no agent ${name}`);
  const resources = { cpu: String(cpu), memory: '64Gi' };
  await market.clients.agents.updateStatus({ ...agent, status: { ...agent.status, resources } });
}

/** As its provider does with `kubectl label`. */
async function labelAgent({ name }: TestAgent, labels: Record<string, string>): Promise<void> {
  const agent = await market.clients.agents.get({ namespace: market.namespace, name });
  if (!agent) throw new Error(`no agent ${name}`);
  const metadata = { ...agent.metadata, labels: { ...agent.metadata.labels, ...labels } };
  await market.clients.agents.update({ ...agent, metadata });
}

test('the first choice may claim at once, the second when its turn comes, and its poll wakes by itself', async () => {
  const agents = [await joinAgent(market, pool), await joinAgent(market, pool)];
  const { id } = await rentHere();
  const startedAt = Date.now();
  const lists = await Promise.all(
    agents.map(async (agent) => ({ agent, ids: await work(agent, 10), afterMs: Date.now() - startedAt })),
  );
  const [first, second] = lists.sort((a, b) => a.afterMs - b.afterMs);
  if (!first || !second) throw new Error('there are two agents');
  expect(first.ids).toEqual([id]);
  expect(first.afterMs).toBeLessThan(1000);
  expect(second.ids).toEqual([id]);
  expect(second.afterMs).toBeGreaterThan(1000);
  expect(await claim(second.agent, id)).toMatchObject({ status: 200 });
});

test('before its turn a claim is refused and says until when', async () => {
  const agents = [await joinAgent(market, pool), await joinAgent(market, pool)];
  const { id } = await rentHere();
  let lists: string[][] = [];
  await eventually(async () => {
    lists = await Promise.all(agents.map((agent) => work(agent)));
    return lists.flat().length > 0;
  });
  expect(lists.flat()).toEqual([id]); // one of them alone
  const other = agents[lists.findIndex((list) => list.length === 0)];
  expect(other && (await claim(other, id)).body).toMatchObject({
    code: 'NotEligible',
    detail: expect.stringContaining('others go first until'),
  });
});

test('an agent is offered only what it has: labels, capabilities, room', async () => {
  const agent = await joinAgent(market, pool);
  await roomFor(agent, 4);
  const fits = await rentHere({ resources: { cpu: '4', memory: '4Gi', storage: '40Gi' } });
  const large = await rentHere({ resources: { cpu: '8', memory: '4Gi', storage: '40Gi' } });
  const gpu = await rentHere({ requirements: { capabilities: ['gpu-passthrough'] } });
  const selector = [{ key: 'rack', operator: 'In' as const, values: ['r1', 'r2'] }];
  const labelled = await rentHere({ requirements: { selector } });
  await eventually(async () => (await work(agent)).join() === fits.id);
  expect((await claim(agent, large.id)).body).toMatchObject({
    code: 'NotEligible',
    detail: expect.stringContaining('too small: 4 CPU in all, 8 CPU wanted'),
  });
  expect((await claim(agent, gpu.id)).body.detail).toContain('lacks gpu-passthrough');
  expect((await claim(agent, labelled.id)).body).toMatchObject({
    code: 'NotEligible',
    detail: expect.stringContaining('its labels do not fit rack in (r1, r2)'),
  });
  const placed = async () => (await seenBy(market.provider, labelled.id)).detail.placement;
  expect((await placed()).passedOver).toContainEqual(
    expect.objectContaining({
      ...{ agent: agent.name, reason: 'LabelMismatch' },
      whatHelps: `label ${agent.name} so that rack in (r1, r2) holds`,
    }),
  );
  await labelAgent(agent, { rack: 'r2' });
  await eventually(async () => (await work(agent)).includes(labelled.id));
  expect((await placed()).candidates).toMatchObject([{ agent: agent.name }]);
});

test('what is promised is counted at once: the claim after the last one that fits is refused, until room is made', async () => {
  const agent = await joinAgent(market, pool);
  await roomFor(agent, 4);
  const offering = await makeOffering(market, { poolName: pool });
  const [a, b, c] = [
    await rentAccepted(market, offering),
    await rentAccepted(market, offering),
    await rentAccepted(market, offering),
  ];
  await eventually(async () => (await work(agent)).length === 3);
  // All at once: the facade judges the claims of one agent one after the other.
  const answers = await Promise.all([a, b, c].map(({ id }) => claim(agent, id)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 409]);
  expect(answers.find(({ status }) => status === 409)?.body.detail).toContain('full: 0 CPU free of 4 CPU');
  const waiting = [a, b, c][answers.findIndex(({ status }) => status === 409)];
  const granted = [a, b, c][answers.findIndex(({ status }) => status === 200)];
  if (!waiting || !granted) throw new Error('one waits');
  const poll = work(agent, 10);
  const path = `${providerPath(market)}/contracts/${granted.id}/lock`;
  await market.call('DELETE', path, {
    key: agent.keys,
    body: { session: agent.session, incarnation: agent.incarnation, epoch: 1, class: 'capacity' },
  });
  expect(await poll).toEqual([waiting.id]);
});

test('a fallback pool is asked once the delay is over', async () => {
  const elsewhere = await makePool(market);
  await changePool(pool, { fallbackPools: [{ name: elsewhere, afterSeconds: 2 }] });
  const agent = await joinAgent(market, elsewhere);
  const { id, tenant } = await rentHere();
  await eventually(async () => (await claim(agent, id)).body.detail?.includes('fallback after 2 s') === true);
  expect((await seenBy(tenant, id)).message).toMatch(/Next attempt elsewhere at/);
  expect(await work(agent, 10)).toEqual([id]);
  expect(await claim(agent, id)).toMatchObject({ status: 200 });
});

test('an agent that failed three contracts in a row is left alone for a while', async () => {
  const agent = await joinAgent(market, pool);
  for (let n = 0; n < 3; n++) {
    const { id } = await rentHere();
    const now = new Date().toISOString();
    const attempt: Attempt = {
      ...{ agent: agent.name, agentUID: agent.uid, epoch: 1, startedAt: now, endedAt: now },
      ...{ outcome: 'Failed', class: 'transient' },
    };
    await moveContract(market, id, (status) => ({ ...status, epoch: 2, attempts: [attempt], failures: 1 }));
  }
  const { id, tenant } = await rentHere();
  await eventually(
    async () => (await claim(agent, id)).body.detail?.includes('3 contracts in a row') === true,
  );
  expect((await seenBy(tenant, id)).waiting.reasons).toEqual([
    { reason: 'BreakerOpen', message: 'Some machines had failures lately and are given time.' },
  ]);
});

test('why it waits: a line for every agent for the provider, no machine for the tenant, its place, what helps', async () => {
  const [small, cordoned] = [await joinAgent(market, pool), await joinAgent(market, pool)];
  await roomFor(small, 4);
  await changeAgent(market, cordoned.name, { cordoned: true, cordonReason: 'disk swap' });
  const offering = await makeOffering(market, {
    poolName: pool,
    resources: { cpu: '16', memory: '4Gi', storage: '40Gi' },
  });
  await rentAccepted(market, offering);
  const { id, tenant } = await rentAccepted(market, offering);
  const lines = async () => (await seenBy(market.provider, id))?.detail?.placement?.passedOver ?? [];
  await eventually(async () => {
    const reasons = (await lines()).map(({ reason }: { reason: string }) => reason);
    return reasons.includes('TooSmall') && reasons.includes('AgentCordoned');
  });
  const { placement } = (await seenBy(market.provider, id)).detail;
  expect(placement).toMatchObject({ reason: 'NoEligibleAgent', ahead: 1, waiting: 2, candidates: [] });
  expect(placement.passedOver).toContainEqual({
    ...{ pool, agent: cordoned.name, reason: 'AgentCordoned', message: 'cordoned: "disk swap"' },
    ...{ whatHelps: `uncordon ${cordoned.name}`, againAt: null },
  });
  expect(placement.passedOver).toContainEqual(
    expect.objectContaining({ agent: small.name, message: 'too small: 4 CPU in all, 16 CPU wanted' }),
  );
  expect(placement.whatHelps[0]).toBe(`uncordon ${cordoned.name}`);
  const told = await seenBy(tenant, id);
  expect(told.message).toContain(
    'No machine with 16 CPU, 4Gi memory, 40Gi disk is free in Europe right now.',
  );
  expect(told.waiting).toMatchObject({ reason: 'NoEligibleAgent', ahead: 1 });
  const until = `${told.provisionBy?.slice(11, 19)} UTC; then it ends and costs nothing.`;
  expect(told.message).toContain(`It is tried until `);
  expect(told.message.endsWith(until)).toBe(true);
  for (const secret of [small.name, cordoned.name, pool, 'disk swap', 'in all'])
    expect(JSON.stringify(told)).not.toContain(secret);
});

test('who has locked as many as it may waits for what it has begun, though it says nothing of its size', async () => {
  await changePool(pool, { placement: { strategy: 'Spread', buildsPerAgent: 2 } });
  const agent = await joinAgent(market, pool);
  const ids = [await rentHere(), await rentHere(), await rentHere()];
  const [first, second, third] = ids.map(({ id }) => id) as [string, string, string];
  await eventually(async () => (await work(agent)).length === 3);
  const epochs = [await claim(agent, first), await claim(agent, second)].map(({ data }) => data.epoch);
  const refused = await claim(agent, third);
  expect([refused.status, refused.body.code]).toEqual([409, 'NotEligible']);
  expect(refused.body.detail).toContain('waits for what it has begun: builds 2, and may have 2 at a time');
  expect(await work(agent)).toEqual([]);
  expect((await seenBy(market.provider, third)).detail.placement).toMatchObject({
    reason: 'NoCapacity',
    passedOver: expect.arrayContaining([
      expect.objectContaining({ agent: agent.name, reason: 'TooManyBuilds' }),
    ]),
  });
  const woken = work(agent, 10);
  const reported = await market.call('POST', `${providerPath(market)}/contracts/${first}/provisioned`, {
    key: agent.keys,
    body: {
      ...{ session: agent.session, incarnation: agent.incarnation, epoch: epochs[0] },
      instanceDetails: { externalId: `dc-${first}`, sshPort: 22, ipAddress: '127.0.0.1' },
    },
  });
  expect(reported.status).toBe(200);
  expect(await woken).toEqual([third]);
  expect((await claim(agent, third)).status).toBe(200);
});
