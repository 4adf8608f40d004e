/**
 * Machines of no contract, from a real facade with its database to an agent that sweeps its hypervisor again and
 * again. Beside ours stand machines of others; every sweep must leave them as they were.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ListedInstance } from '../../agent/provisioner/provisioner.ts';
import { openStore } from '../../agent/state/store.ts';
import { type FakeHypervisor, fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import { installationOf } from '../../api/installation.ts';
import { createProver } from '../../api/restore/proof.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { createStore, type Store } from '../../store/store.ts';
import { type Daemon, type DaemonOptions, startDaemon, stateFolder } from '../world/daemons.ts';
import {
  accept,
  eventually,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  providerPath,
  readContract,
  rent,
  type TestAgent,
} from './api/harness.ts';

const DAY_MS = 24 * 3_600_000;
let market: Market;
let store: Store;
let pool: string;
let installation: string;
beforeAll(async () => {
  // What stands for a day or for 15 minutes elsewhere does so for a moment here.
  market = await openMarket({ environment: { ORPHAN_MIN_AGE_SECONDS: '0' } });
  store = createStore({
    databaseUrl: market.databaseUrl ?? '',
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  pool = await makePool(market);
});
afterAll(async () => {
  await store.close();
  await market.close();
});

let agent: TestAgent;
let hypervisor: FakeHypervisor;
let state: ReturnType<typeof stateFolder>;
let foreign: readonly ListedInstance[];
let running: Daemon[];
let listings = 0;
beforeEach(async () => {
  agent = await joinAgent(market, pool);
  installation = (await heartbeat(market, agent, { leaving: true })).data.installation;
  const fake = fakeHypervisor(systemClock, installation);
  listings = 0;
  hypervisor = {
    ...fake,
    list: (options) => {
      listings++;
      return fake.list(options);
    },
  };
  state = stateFolder();
  openStore(state.path, systemClock.now()).raiseIncarnation(); // the one that joined above
  running = [];
  foreign = [
    plant({ externalId: 'pet', installation: '', contractId: '' }),
    plant({ externalId: 'dc-of-another-house', installation: 'somebody-else', contractId: 'e'.repeat(32) }),
    plant({ externalId: 'dc-of-a-neighbour', agentUid: '99999999-0000-4000-8000-000000000009' }),
  ];
});
afterEach(async () => {
  await Promise.all(running.map((daemon) => daemon.stop()));
  state.remove();
  // Whatever was swept: these stand as they stood.
  for (const machine of foreign) expect(hypervisor.machines.get(machine.externalId)).toEqual(machine);
});

function plant(tags: Partial<ListedInstance> & { externalId: string }): ListedInstance {
  const machine: ListedInstance = {
    contractId: 'f'.repeat(32),
    epoch: 1,
    installation,
    agentUid: agent.uid,
    state: 'Running',
    createdAt: new Date(Date.now() - DAY_MS).toISOString(),
    ...tags,
  };
  hypervisor.machines.set(machine.externalId, machine);
  return machine;
}
function start(limits: DaemonOptions['limits'] = {}): Daemon {
  const daemon = startDaemon({
    facade: market.facade,
    providerKey: market.provider.publicKey,
    agent,
    installation,
    hypervisor,
    stateDir: state.path,
    limits,
  });
  running.push(daemon);
  return daemon;
}
const stateOf = (externalId: string): string | undefined => hypervisor.machines.get(externalId)?.state;
const sweeps = async (count: number): Promise<void> => {
  const until = listings + count;
  await eventually(() => listings >= until);
};
const seenAgent = () => market.clients.agents.get({ namespace: market.namespace, name: agent.name });

describe('a machine of no contract', () => {
  test('is stopped, shown on its agent, and destroyed after the quarantine', async () => {
    plant({ externalId: 'dc-orphan' });
    start();
    await eventually(() => stateOf('dc-orphan') === 'Stopped');
    await eventually(async () => (await seenAgent())?.status?.orphans?.stopped === 1);
    expect((await seenAgent())?.status?.orphans).toEqual({ count: 2, stopped: 1, waiting: 0 });
    await eventually(() => stateOf('dc-orphan') === undefined);
    expect(hypervisor.ledger).toEqual(['stop 1', 'destroy 1']);
    // The neighbour's is still shown: nobody answers for it.
    await eventually(async () => (await seenAgent())?.status?.orphans?.count === 1);
  });

  test('is left alone by an inventory that could not be made', async () => {
    plant({ externalId: 'dc-orphan' });
    hypervisor.failures.list = Number.POSITIVE_INFINITY;
    start();
    await sweeps(5);
    expect(stateOf('dc-orphan')).toBe('Running');
    expect((await seenAgent())?.status?.orphans).toBeUndefined();
  });

  test('goes only in its turn', async () => {
    for (const name of ['dc-1', 'dc-2', 'dc-3'])
      plant({ externalId: name, contractId: `${name.at(-1)}`.repeat(32) });
    start({ orphans: { minAgeMs: 0, quarantineMs: 0, destroyedPerHourMax: 2 } });
    await eventually(() => hypervisor.ledger.filter((entry) => entry === 'destroy 1').length === 2);
    await sweeps(5);
    expect(hypervisor.ledger.filter((entry) => entry === 'destroy 1')).toHaveLength(2);
    await eventually(async () => (await seenAgent())?.status?.orphans?.waiting === 1);
  });
});

describe('what PostgreSQL knows', () => {
  test('a machine that no entry accounts for is destroyed only when the database does not name it', async () => {
    const offering = await makeOffering(market, { poolName: pool });
    const { id } = await rent(market, offering);
    await accept(market, id);
    // It went on in a later epoch; what happened to this machine nobody wrote down but the database.
    await moveContract(market, id, (status) => ({ ...status, epoch: 3 }));
    const { metadata } = await readContract(market, id);
    const record = { contractUID: metadata.uid ?? '', epoch: 2, agentUID: agent.uid, externalId: 'dc-moved' };
    await store.instances.put({ ...record, event: 'Active', at: new Date() });
    plant({ externalId: 'dc-moved', contractId: id, epoch: 2 });
    plant({ externalId: 'dc-lost', contractId: id, epoch: 1 });
    await eventually(async () => (await inventory()).data.unknown.length === 3);
    start();
    await eventually(() => stateOf('dc-lost') === undefined);
    await eventually(() => stateOf('dc-moved') === 'Stopped');
    await sweeps(10);
    expect(stateOf('dc-moved')).toBe('Stopped');
  });

  test('a machine of a contract that is missing in the cluster: without proof nobody is frozen for it', async () => {
    const uid = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc';
    const record = { contractUID: uid, epoch: 1, agentUID: agent.uid, externalId: 'dc-said', at: new Date() };
    await store.instances.put({ ...record, event: 'Active' });
    plant({ externalId: 'dc-said', contractId: uid.replaceAll('-', '') });
    plant({ externalId: 'dc-orphan', contractId: 'b'.repeat(32) });
    start();
    await eventually(() => stateOf('dc-orphan') === 'Stopped');
    expect(stateOf('dc-said')).toBe('Running');
  });

  // Last: from then on the whole installation rests.
  test('a machine of a contract that is missing in the cluster: nothing is stopped any more', async () => {
    const uid = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
    const record = { contractUID: uid, epoch: 1, agentUID: agent.uid, externalId: 'dc-paid', at: new Date() };
    await store.instances.put({ ...record, event: 'Active' });
    const contractId = uid.replaceAll('-', '');
    plant({ externalId: 'dc-paid', contractId });
    plant({ externalId: 'dc-orphan', contractId: 'b'.repeat(32) });
    const { clients, namespace } = market;
    const { seed } = await installationOf({ clients, namespace })();
    const proof = createProver(seed).proofOf({ contractUID: uid, agentUID: agent.uid, epoch: 1 });
    openStore(state.path, systemClock.now()).change(contractId, (its) => ({
      ...its,
      proven: { epoch: 1, proof },
    }));
    start();
    await sweeps(8);
    expect([stateOf('dc-paid'), stateOf('dc-orphan')]).toEqual(['Running', 'Running']);
  });
});

/** One inventory by hand, without an agent. */
async function inventory() {
  return market.call('POST', `${providerPath(market)}/reconcile`, {
    key: agent.keys,
    body: {
      session: agent.session,
      incarnation: agent.incarnation,
      runningInstances: [...hypervisor.machines.values()].filter(
        ({ installation: of }) => of === installation,
      ),
    },
  });
}
