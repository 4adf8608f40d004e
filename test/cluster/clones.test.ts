/**
 * A cloned VM: two daemons with one key and a copied state folder, each on a hypervisor of its own, against a
 * real facade and operator. One of them works; the other is refused, and the Agent says why.
 */
import { cpSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type FakeHypervisor, fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import type { Agent } from '../../crds/agent.ts';
import { systemClock } from '../../lib/clock.ts';
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

let market: Market;
let stopOperator: () => Promise<void>;
beforeAll(async () => {
  market = await openMarket({ hasOperator: false });
  stopOperator = startOperator({
    kubeconfig: inject('kubeconfig'),
    databaseUrl: market.databaseUrl ?? '',
    namespace: market.namespace,
    timing: { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 500 },
  });
});
afterAll(async () => {
  await stopOperator();
  await market.close();
});

type Host = Readonly<{ hypervisor: FakeHypervisor; state: ReturnType<typeof stateFolder> }>;

let pool: string;
let agent: TestAgent;
let installation: string;
let original: Host;
let clone: Host;
let running: Daemon[];
beforeEach(async () => {
  pool = await makePool(market);
  agent = await joinAgent(market, pool);
  // It only joined: the Lease begins with the first daemon.
  installation = (await heartbeat(market, agent)).data.installation;
  await market.clients.leases.delete({ namespace: market.namespace, name: agent.name });
  original = host();
  clone = host();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((daemon) => daemon.stop()));
  for (const { state } of [original, clone]) state.remove();
});

const host = (): Host => ({ hypervisor: fakeHypervisor(systemClock, installation), state: stateFolder() });
const copyState = (): void => cpSync(original.state.path, clone.state.path, { recursive: true });
function startOn({ hypervisor, state }: Host, fingerprint: string): Daemon {
  const daemon = startDaemon({
    facade: market.facade,
    providerKey: market.provider.publicKey,
    agent,
    installation,
    hypervisor,
    stateDir: state.path,
    fingerprint,
  });
  running.push(daemon);
  return daemon;
}
const seen = async (): Promise<Agent | undefined> =>
  (await market.clients.agents.get({ namespace: market.namespace, name: agent.name })) ?? undefined;
const conditionOf = async (type: string) =>
  (await seen())?.status?.conditions?.find((condition) => condition.type === type);
const leaseSession = async (): Promise<string | undefined> =>
  (await market.clients.leases.get({ namespace: market.namespace, name: agent.name }))?.spec.holderIdentity;
const rentOne = async () => {
  const offering = await makeOffering(market, { poolName: pool });
  return (await rent(market, offering)).id;
};
const isActive = async (id: string): Promise<boolean> =>
  (await readContract(market, id)).status?.phase === 'Active';
const machines = (): number => original.hypervisor.machines.size + clone.hypervisor.machines.size;

describe('a clone of a running agent', () => {
  test('on another machine is refused, and the Agent says so; the original works on', async () => {
    const first = startOn(original, 'machine-1');
    await eventually(async () => (await leaseSession()) === first.session);
    copyState();
    startOn(clone, 'machine-2');
    await eventually(async () => (await conditionOf('Unique'))?.reason === 'DuplicateAgent');
    expect(await conditionOf('Unique')).toMatchObject({ status: 'False' });
    expect(await conditionOf('Ready')).toMatchObject({ status: 'True' });
    const listed = await market.call('GET', `${providerPath(market)}/agents`, { key: market.provider });
    const shown = listed.data.find(({ agentName }: { agentName: string }) => agentName === agent.name);
    expect(shown.problem).toMatchObject({ reason: 'DuplicateAgent' });
    const id = await rentOne();
    await eventually(() => isActive(id));
    expect(original.hypervisor.ledger).toEqual(['create 1']);
    expect(clone.hypervisor.ledger).toEqual([]);
    expect(await leaseSession()).toBe(first.session);
  });

  test('that was started from the same state at the same time: the first goes on', async () => {
    copyState();
    const first = startOn(original, 'machine-1');
    await eventually(async () => (await leaseSession()) === first.session);
    startOn(clone, 'machine-1');
    await eventually(async () => (await conditionOf('Unique'))?.reason === 'DuplicateAgent');
    const id = await rentOne();
    await eventually(() => isActive(id));
    expect([original.hypervisor.ledger, clone.hypervisor.ledger]).toEqual([['create 1'], []]);
  });

  test('on what looks like the same machine takes over, and the original is stopped: one of them works', {
    timeout: 60_000,
  }, async () => {
    const first = startOn(original, 'machine-1');
    await eventually(async () => (await leaseSession()) === first.session);
    copyState();
    const second = startOn(clone, 'machine-1');
    await eventually(async () => (await leaseSession()) === second.session);
    const id = await rentOne();
    // Told by a call or by its next heartbeat; if it is heard late, both are refused until a person decides.
    const ended = await Promise.race([
      first.ended.then(
        () => 'Stopped',
        (error: Error) => error.message,
      ),
      eventually(async () => (await conditionOf('Unique'))?.status === 'False', 30_000).then(() => 'Both'),
    ]);
    expect(ended).toMatch(/took over|two processes|Both/);
    if (ended !== 'Both') await eventually(() => isActive(id));
    expect(original.hypervisor.ledger).toEqual([]);
    expect(machines()).toBeLessThanOrEqual(1);
  });
});

test('a clone of a stopped agent does not build beside the restarted original', async () => {
  const first = startOn(original, 'machine-1');
  await eventually(async () => (await leaseSession()) === first.session);
  await first.stop();
  copyState();
  const again = startOn(original, 'machine-1');
  await eventually(async () => (await leaseSession()) === again.session);
  const copied = startOn(clone, 'machine-2');
  expect(copied.incarnation).toBe(again.incarnation);
  const id = await rentOne();
  await eventually(() => isActive(id));
  await eventually(async () => (await conditionOf('Unique'))?.status === 'False');
  expect([original.hypervisor.ledger, clone.hypervisor.ledger]).toEqual([['create 1'], []]);
});

test('who leaves its session out does not get past the one that counts', async () => {
  const first = startOn(original, 'machine-1');
  await eventually(async () => (await leaseSession()) === first.session);
  const id = await rentOne();
  await eventually(() => isActive(id));
  const path = `${providerPath(market)}/contracts/${id}`;
  const without = (method: string, rest: string, body: object = {}) =>
    market.call(method, `${path}/${rest}`, { key: agent.keys, body });
  const instanceDetails = { externalId: 'dc-of-the-clone', sshPort: 22 };
  const answers = [
    await without('PUT', 'terminated', { epoch: 1 }),
    await without('POST', 'lock', { observedEpoch: 0 }),
    await without('DELETE', 'lock', { epoch: 1 }),
    await without('POST', 'provisioned', { epoch: 1, instanceDetails }),
    await without('POST', 'failed', { epoch: 1, errorMessage: 'no' }),
    await market.call('POST', `${providerPath(market)}/reconcile`, {
      key: agent.keys,
      body: { runningInstances: [] },
    }),
    await market.call('POST', `${providerPath(market)}/heartbeat`, {
      key: agent.keys,
      body: { version: '0.9.0', provisionerType: 'script', activeContracts: 0 },
    }),
  ];
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
    answers.map(() => [409, 'DuplicateAgent']),
  );
  expect((await readContract(market, id)).status).toMatchObject({
    phase: 'Active',
    holders: [{ epoch: 1 }],
    instance: { externalId: `dc-${id}` },
  });
});
