/**
 * An agent is emptied, and another revoked: operator, facade and two agents that work all the time. A ledger of each
 * hypervisor says what was really built and destroyed.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type FakeHypervisor, fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { systemClock } from '../../lib/clock.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { type Daemon, startDaemon, stateFolder } from '../world/daemons.ts';
import { startOperator } from '../world/operator.ts';
import {
  eventually,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  readContract,
  rent,
  type TestAgent,
} from './api/harness.ts';

type Host = Readonly<{ agent: TestAgent; hypervisor: FakeHypervisor; daemon: Daemon; remove: () => void }>;

let market: Market;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
let pool: string;
let first: Host;
let second: Host;
beforeAll(async () => {
  const namespace = await inNamespace('drain');
  database = await createDatabase();
  const kubeconfig = inject('kubeconfig');
  stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace });
  market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
  pool = await makePool(market);
  await market.clients.pools.patch(
    { namespace, name: pool },
    { type: 'Merge', body: { spec: { lockTTLSeconds: 5 } } },
  );
  first = await aHost();
}, 60_000);
afterAll(async () => {
  for (const host of [first, second]) {
    await host?.daemon.stop();
    host?.remove();
  }
  await market?.close();
  await stopOperator?.();
  await database?.drop();
});

async function aHost(): Promise<Host> {
  const agent = await joinAgent(market, pool);
  const { installation } = (await heartbeat(market, agent, { leaving: true })).data;
  const hypervisor = fakeHypervisor(systemClock, installation);
  const state = stateFolder();
  const { facade, provider } = market;
  const start = () =>
    startDaemon({
      ...{ facade, providerKey: provider.publicKey, agent, installation, hypervisor },
      stateDir: state.path,
    });
  await start().stop(); // the one that joined above had the first incarnation
  return { agent, hypervisor, daemon: start(), remove: state.remove };
}

const ask = (method: string, { keys }: TestAgent, action = '', body?: object) =>
  market.call(method, `${providerPath(market)}/agents/${keys.publicKey}${action}`, {
    key: market.provider,
    body,
  });
const statusOf = async ({ name }: TestAgent) =>
  (await market.clients.agents.get({ namespace: market.namespace, name }))?.status;
const conditionOf = async (agent: TestAgent, type: string) =>
  (await statusOf(agent))?.conditions?.find((it) => it.type === type);
const read = (id: string) => readContract(market, id);
const is = (id: string, holds: (contract: Contract) => boolean, withinMs = 20_000) =>
  eventually(async () => holds(await read(id)), withinMs);
const isActiveOn = (id: string, { agent }: Host, epoch: number) =>
  is(
    id,
    ({ status }) =>
      status?.phase === 'Active' && status.agent === agent.name && status.instance?.epoch === epoch,
  );
const order = async (allowRecreation: boolean): Promise<string> =>
  (await rent(market, await makeOffering(market, { poolName: pool, allowRecreation }))).id;

test('a drained agent gets no new work and goes on serving what it has; its deadline moves what can be moved', async () => {
  const [stateless, precious] = [await order(true), await order(false)];
  for (const id of [stateless, precious]) await isActiveOn(id, first, 1);

  const drained = await ask('POST', first.agent, '/drain', { reason: 'new kernel' });
  expect(
    drained.data.remaining
      .map(({ contractId, reason }: Record<string, string>) => `${contractId} ${reason}`)
      .sort(),
  ).toEqual([`${precious} NotMovable`, `${stateless} NoDeadline`].sort());
  await eventually(async () => (await statusOf(first.agent))?.remaining?.count === 2);
  expect(await conditionOf(first.agent, 'Drained')).toMatchObject({ status: 'False' });

  const late = await order(false);
  await is(late, ({ status }) => status?.conditions?.some(({ type }) => type === 'Schedulable') ?? false);
  const contract = await read(precious);
  await market.clients.contracts.update({ ...contract, spec: { ...contract.spec, restart: 1 } });
  await is(precious, ({ status }) => status?.applied?.restart === 1);
  expect((await read(late)).status?.phase).toBe('Accepted');

  // Nobody else is there: what is rented is not given up for nothing.
  await ask('POST', first.agent, '/drain', { deadlineAt: new Date().toISOString() });
  await is(stateless, ({ status }) => status?.conditions?.some(({ type }) => type === 'Movable') ?? false);
  expect((await read(stateless)).status).toMatchObject({ phase: 'Active', epoch: 1 });
  expect((await ask('GET', first.agent)).data.remaining).toContainEqual(
    expect.objectContaining({ contractId: stateless, reason: 'NoOtherAgent' }),
  );

  second = await aHost();
  await isActiveOn(late, second, 1);
  // Asked again, as somebody would who has just brought the other host up.
  await ask('POST', first.agent, '/drain', { deadlineAt: new Date().toISOString() });
  await isActiveOn(stateless, second, 3);
  await is(stateless, ({ status }) => status?.holders?.length === 1);
  expect((await read(stateless)).status?.history?.map(({ reason }) => reason)).toContain('Moved');
  expect([...first.hypervisor.machines.keys()]).toEqual([`dc-${precious}`]);
  expect([...second.hypervisor.machines.keys()].sort()).toEqual([`dc-${late}`, `dc-${stateless}`].sort());
  expect(first.hypervisor.ledger).toEqual(['create 1', 'create 1', 'stop 1', 'start 1', 'destroy 1']);

  await market.call('PUT', `/api/v1/provider/contracts/${precious}/cancel`, {
    key: market.provider,
    body: {},
  });
  await eventually(async () => (await conditionOf(first.agent, 'Drained'))?.status === 'True', 20_000);
  expect((await statusOf(first.agent))?.remaining).toEqual({ count: 0, contracts: [] });
  expect(first.hypervisor.machines.size).toBe(0);
  await ask('POST', first.agent, '/uncordon');
  await eventually(async () => (await statusOf(first.agent))?.remaining === undefined);
}, 90_000);

test('a revoked agent is refused at once, its lock is freed when it runs out, what it has is unattended', async () => {
  await ask('POST', first.agent, '/cordon');
  second.hypervisor.createMs = 600_000;
  const building = await order(false);
  await is(building, ({ status }) => status?.phase === 'Provisioning' && status.agent === second.agent.name);

  const { data } = await ask('DELETE', second.agent);
  expect(new Set(data.remaining.map(({ reason }: { reason: string }) => reason))).toEqual(
    new Set(['Unattended']),
  );
  await eventually(async () => (await heartbeat(market, second.agent)).body.code === 'AgentRevoked', 1000);
  await expect(second.daemon.ended).rejects.toThrow();
  expect(await conditionOf(second.agent, 'Ready')).toMatchObject({ status: 'False', reason: 'Revoked' });

  await is(building, ({ status }) => status?.phase === 'Accepted' && status.lock === undefined);
  await ask('POST', first.agent, '/uncordon');
  await isActiveOn(building, first, 2);
  const { items } = await market.clients.contracts.list({ namespace: market.namespace });
  const unattended = items.filter(({ status }) =>
    status?.holders?.some(({ agentUID }) => agentUID === second.agent.uid),
  );
  expect(unattended.length).toBe(3);
  for (const { metadata } of unattended)
    await is(
      metadata.uid?.replaceAll('-', '') ?? '',
      ({ status }) =>
        status?.conditions?.some(
          ({ type, status: is, reason }) =>
            type === 'Attended' && is === 'False' && reason === 'AgentRevoked',
        ) ?? false,
    );
  const { contracts = [] } = (await statusOf(second.agent))?.remaining ?? {};
  expect(contracts.map(({ reason }) => reason)).toContain('Unattended');
}, 90_000);
