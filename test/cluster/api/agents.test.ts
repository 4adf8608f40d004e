/** A provider's hand on its agents and pools: cordon, drain, maintenance, upgrade, revoke; what the agent then hears. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../../../crds/agent.ts';
import type { AgentView } from '../../../crds/wire/pools.ts';
import { systemClock } from '../../../lib/clock.ts';
import {
  changeAgent,
  eventually,
  heartbeat,
  joinAgent,
  joinReferenceAgent,
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
/** Added to what the facade takes for the time since it was started. */
let passedMs = 0;
beforeAll(async () => {
  market = await openMarket({
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs },
  });
  pool = await makePool(market);
});
afterAll(() => market?.close());

const ask = (method: string, path: string, body?: object) =>
  market.call(method, `${providerPath(market)}/${path}`, { key: market.provider, body });
const of = ({ keys }: TestAgent, action = ''): string => `agents/${keys.publicKey}${action}`;
const objectOf = ({ name }: TestAgent) => market.clients.agents.get({ namespace: market.namespace, name });
const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

test('cordon, drain with a deadline and uncordon are fields of spec; each answers the agent in full', async () => {
  const agent = await joinAgent(market, pool);
  expect(await ask('POST', of(agent, '/cordon'), { reason: 'disk swap' })).toMatchObject({
    status: 200,
    data: { cordoned: true, draining: false, cordonReason: 'disk swap', remaining: null },
  });
  expect((await ask('POST', of(agent, '/cordon'))).data).toMatchObject({ cordonReason: 'disk swap' });
  const deadlineAt = inHours(2);
  expect((await ask('POST', of(agent, '/drain'), { deadlineAt })).data).toMatchObject({
    draining: true,
    cordonReason: 'disk swap',
    drainBy: deadlineAt,
    remaining: [],
  });
  expect((await objectOf(agent))?.spec).toMatchObject({
    cordoned: true,
    cordonedBy: market.namespace,
    draining: true,
    drainBy: deadlineAt,
  });
  await eventually(async () => (await heartbeat(market, agent)).data.drain === true);
  expect((await ask('POST', of(agent, '/drain'))).data).toMatchObject({ draining: true, drainBy: null });
  await ask('POST', of(agent, '/uncordon'));
  const { cordonReason, cordonedBy, drainBy, cordoned, draining } = (await objectOf(agent))?.spec ?? {};
  expect({ cordonReason, cordonedBy, drainBy, cordoned, draining }).toEqual({
    cordoned: false,
    draining: false,
  });
  expect((await ask('POST', of(agent, '/drain'), { deadlineAt: 'tomorrow' })).status).toBe(422);
});

test('no work in a maintenance window, of the agent or of its pool; it is there again when the window is gone', async () => {
  const own = await makePool(market);
  const agent = await joinAgent(market, own);
  const offering = await makeOffering(market, { poolName: own });
  const { id } = await rentAccepted(market, offering);
  const work = async (): Promise<string[]> =>
    (await market.call('GET', `${providerPath(market)}/work`, { key: agent.keys })).data.map(
      ({ contractId }: { contractId: string }) => contractId,
    );
  const seesIt = (is: boolean) => eventually(async () => (await work()).includes(id) === is);
  await seesIt(true);
  const windows = [{ startsAt: inHours(0.1), endsAt: inHours(2), reason: 'kernel' }];
  for (const path of [of(agent, '/maintenance'), `pools/${own}/maintenance`]) {
    expect((await ask('PUT', path, { windows })).status).toBe(200);
    await seesIt(false);
    const claimed = await market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
      key: agent.keys,
      body: { session: agent.session, incarnation: 1, observedEpoch: 0 },
    });
    expect(claimed.status).toBe(409);
    expect(JSON.stringify(claimed.body)).toContain('aintenance');
    await ask('PUT', path, { windows: [] });
    await seesIt(true);
  }
  // It began for the first time a week and an hour ago, and so an hour ago again.
  const weekly = [{ startsAt: inHours(-169), endsAt: inHours(-166), every: 'Week' as const }];
  expect((await ask('PUT', of(agent, '/maintenance'), { windows: weekly })).status).toBe(200);
  await seesIt(false);
  expect((await ask('GET', of(agent, ''))).data.maintenance).toMatchObject(weekly);
  const wrong = [
    {
      window: { startsAt: inHours(2), endsAt: inHours(1) },
      why: 'a maintenance window ends after it starts',
    },
    {
      window: { startsAt: inHours(0), endsAt: inHours(24), every: 'Day' as const },
      why: 'a maintenance window that comes again ends before it does',
    },
  ];
  for (const { window, why } of wrong) {
    const refused = await ask('PUT', of(agent, '/maintenance'), { windows: [window] });
    expect([refused.status, JSON.stringify(refused.body).includes(why)]).toEqual([422, true]);
    const maintenance = [{ ...window, quietMinutes: 15 }];
    await expect(changeAgent(market, agent.name, { maintenance })).rejects.toThrow(why);
  }
});

test('an agent below the floor of its pool gets no work; what is planned is told with the heartbeat', async () => {
  const own = await makePool(market);
  const [agent, reference] = [await joinAgent(market, own), await joinReferenceAgent(market, own)];
  const plan = { minVersion: '1.1.0', upgrade: { toVersion: '1.2.0' } };
  expect((await ask('PUT', `pools/${own}`, plan)).status).toBe(200);
  const { id } = await rentAccepted(market, await makeOffering(market, { poolName: own }));
  await eventually(async () => (await heartbeat(market, agent)).data.upgradeToVersion === '1.2.0');
  // The reference agent would replace itself with another program.
  const beat = { version: '0.6.0', provisionerType: 'script', activeContracts: 0 };
  const told = await market.call('POST', `${providerPath(market)}/heartbeat`, {
    key: reference.keys,
    body: beat,
  });
  expect(told.data.upgradeToVersion).toBeUndefined();
  const claim = () =>
    market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
      key: agent.keys,
      body: { session: agent.session, incarnation: 1, observedEpoch: 0 },
    });
  await eventually(async () => JSON.stringify((await claim()).body).includes('1.1.0 or newer'));
  expect((await ask('GET', of(agent))).data.upgrade).toEqual({
    state: 'TooOld',
    toVersion: '1.1.0',
    notBefore: null,
  });
  await heartbeat(market, agent, { version: '1.2.0' });
  await eventually(async () => (await claim()).status === 200);
  expect((await heartbeat(market, agent, { version: '1.2.0' })).data.upgradeToVersion).toBeUndefined();
  expect((await ask('PUT', `pools/${own}`, { minVersion: null, upgrade: null })).status).toBe(200);
  const { spec } = (await market.clients.pools.get({ namespace: market.namespace, name: own })) ?? {};
  expect([spec?.minVersion, spec?.upgrade]).toEqual([undefined, undefined]);
});

test('what an agent says of its host limits it, times the overcommitment of its pool; who says nothing is not', async () => {
  const own = await makePool(market);
  const agent = await joinAgent(market, own);
  const resources = { cpu: '8', memory: '4Gi', storage: '40Gi' };
  const { id } = await rentAccepted(market, await makeOffering(market, { poolName: own, resources }));
  const requirements = { capabilities: ['kvm'], storageClass: 'nvme' };
  const fine = await rentAccepted(market, await makeOffering(market, { poolName: own, requirements }));
  const work = async (): Promise<string[]> =>
    (await market.call('GET', `${providerPath(market)}/work`, { key: agent.keys })).data.map(
      ({ contractId }: { contractId: string }) => contractId,
    );
  await eventually(async () => (await work()).join() === id);
  const host = {
    resources: { cpuThreads: 4, memoryTotalMb: 8192, gpus: 0, storageClasses: ['nvme'] },
    capabilities: ['kvm'],
  };
  const promised = { cpuMilli: 4000, memoryBytes: 8192 * 2 ** 20, gpus: 0 };
  expect((await heartbeat(market, agent, host)).data.promised).toEqual(promised);
  await eventually(async () => (await work()).join() === fine.id);
  expect((await ask('GET', of(agent))).data).toMatchObject({
    resources: { cpu: '4', memory: '8192Mi', storage: null, gpu: 0, instances: null },
    capabilities: ['kvm'],
    storageClasses: ['nvme'],
  });
  const { metadata } = (await objectOf(agent)) ?? {};
  await heartbeat(market, agent, { ...host, resources: { ...host.resources, memoryAvailableMb: 1 } });
  expect((await objectOf(agent))?.metadata.resourceVersion).toBe(metadata?.resourceVersion);
  const overcommit = { cpuPercent: 200, memoryPercent: 100, storagePercent: 100 };
  await ask('PUT', `pools/${own}`, { overcommit });
  await eventually(async () => (await work()).length === 2);
  const told = (await heartbeat(market, agent, host)).data.promised; // agent and facade go by one figure
  expect(told).toEqual({ ...promised, cpuMilli: 8000 });
});

test('what an agent says of itself is written down although others write its status at the same time', async () => {
  const agent = await joinAgent(market, await makePool(market));
  const write = async (lastSeenAt: string): Promise<void> => {
    const seen = await objectOf(agent);
    if (seen) await market.clients.agents.updateStatus({ ...seen, status: { ...seen.status, lastSeenAt } });
  };
  for (let round = 10; round < 30; round++) {
    const version = `1.1.${round}`;
    const beat = heartbeat(market, agent, { version });
    // Two at most get in between, and it is written three times at most.
    for (const month of ['01', '02'])
      await write(`2026-${month}-01T00:00:${round}.000Z`).catch(() => undefined);
    expect((await beat).status).toBe(200);
    expect((await objectOf(agent))?.status?.version).toBe(version);
  }
});

test('an agent that says that it is ill is offered nothing and keeps what it has, until it says it no more', async () => {
  const own = await makePool(market);
  const agent = await joinAgent(market, own);
  const offering = await makeOffering(market, { poolName: own });
  const claim = (id: string) =>
    market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
      key: agent.keys,
      body: { session: agent.session, incarnation: 1 },
    });
  const work = async (): Promise<string[]> =>
    (await market.call('GET', `${providerPath(market)}/work`, { key: agent.keys })).data.map(
      ({ contractId }: { contractId: string }) => contractId,
    );
  const held = await rentAccepted(market, offering);
  await eventually(async () => (await claim(held.id)).status === 200);
  const { id } = await rentAccepted(market, offering);
  await eventually(async () => (await work()).includes(id));

  const unhealthy = { reason: 'CannotList', message: 'its machines could not be listed' };
  const beat = (more: object) => heartbeat(market, agent, more);
  passedMs += 10_000; // since it was written last
  expect((await beat({ unhealthy })).status).toBe(200);
  await eventually(async () => !(await work()).includes(id));
  const version = async () => (await objectOf(agent))?.metadata.resourceVersion;
  const written = await version();
  for (let n = 0; n < 5; n++) {
    passedMs += 15_000;
    await beat({ unhealthy: { ...unhealthy, message: `try ${n} failed` } });
  }
  expect(await version()).toBe(written); // not with each heartbeat, whatever its words are
  const refused = await claim(id);
  expect([refused.status, refused.body.code]).toEqual([409, 'NotEligible']);
  expect(refused.body.detail).toContain('unhealthy: its machines could not be listed');
  expect((await claim(held.id)).status).toBe(200); // what it holds it may renew
  const { placement } = (await market.call('GET', `/api/v1/contracts/${id}`, { key: market.provider })).data
    .detail;
  expect(placement.passedOver).toContainEqual(
    expect.objectContaining({ agent: agent.name, reason: 'AgentUnhealthy' }),
  );
  expect(placement.whatHelps).toContain(`mend ${agent.name}`);

  await beat({});
  await eventually(async () => (await work()).includes(id));
  expect((await objectOf(agent))?.status?.unhealthy).toBeUndefined();
  expect((await claim(id)).status).toBe(200);
  for (const reason of ['not a word', ''])
    expect((await beat({ unhealthy: { reason, message: '' } })).status).toBe(422);
});

test('agents whose pool is not there are listed, and say who cordoned them', async () => {
  const agent = await joinAgent(market, pool);
  await ask('POST', of(agent, '/cordon'), { reason: 'disk swap' });
  const lost = { ...(await objectOf(agent)) };
  const publicKey = 'ab'.repeat(32);
  await market.clients.agents.create({
    metadata: { name: 'stray', namespace: market.namespace },
    spec: { ...lost.spec, poolName: 'no-pool', publicKey } as Agent['spec'],
  });
  await eventually(async () => {
    const { data } = await ask('GET', 'agents');
    return data.some(({ agentName, poolId }: AgentView) => agentName === 'stray' && poolId === 'no-pool');
  });
  expect((await ask('GET', `agents/${publicKey}`)).data).toMatchObject({
    ...{ cordoned: true, cordonReason: 'disk swap', cordonedBy: market.namespace, health: null },
  });
});

test('a revoked key is refused at once, and what its agent holds is listed as unattended', async () => {
  const agent = await joinAgent(market, pool);
  const { id } = await rentAccepted(market, await makeOffering(market, { poolName: pool }));
  const claim = await market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
    key: agent.keys,
    body: { session: agent.session, incarnation: 1, observedEpoch: 0 },
  });
  expect(claim.status).toBe(200);
  await eventually(async () => (await ask('POST', of(agent, '/drain'))).data.remaining.length === 1);
  const { data } = await ask('DELETE', of(agent));
  expect(data).toMatchObject({
    revoked: true,
    remaining: [{ contractId: id, phase: 'Provisioning', reason: 'Unattended' }],
  });
  await eventually(async () => (await heartbeat(market, agent)).body.code === 'AgentRevoked', 2000);
});
