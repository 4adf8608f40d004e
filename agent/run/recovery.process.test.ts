/** The whole agent: locks that are lost, processes that are killed or stopped, machines that nobody knows. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openStore } from '../state/store.ts';
import { type AgentWorld, agentWorld } from '../testing/agent-world.ts';

const UID = '0b7c9d6e-1111-4222-8333-944445555666';

let world: AgentWorld;
beforeEach(async () => {
  world = await agentWorld();
});
afterEach(async () => {
  const wrong = world.facade.calls.filter((call) => call.includes(' wrong: '));
  await world.close();
  expect(wrong).toEqual([]);
});

/** Waits for the world, not for a time. */
const until = (what: () => void): Promise<void> => vi.waitFor(what, { timeout: 6000, interval: 10 });
const untilPhase = (id: string, phase: string): Promise<void> =>
  until(() => expect(world.facade.statusOf(id).phase).toBe(phase));
const untilFree = (id: string): Promise<void> =>
  until(() => expect(world.facade.statusOf(id).holders ?? []).toEqual([]));
const made = (): string[] => world.hypervisor.ledger;
const terminated = (): string[] => world.facade.calls.filter((call) => call.startsWith('PUT terminated'));

describe('the lock', () => {
  test('is renewed while the building lasts', async () => {
    world.facade.ttlSeconds = 30;
    world.hypervisor.createMs = 80_000;
    world.start();
    const id = world.facade.rent(UID);
    await untilPhase(id, 'Provisioned');
    expect(world.facade.calls.filter((call) => call === 'POST lock 200').length).toBeGreaterThan(5);
    expect(made()).toEqual(['create 1']);
  });

  test('that ran out while nobody answered breaks the building off, which then goes on under a new grant', async () => {
    world.facade.ttlSeconds = 8;
    world.hypervisor.createMs = 40_000;
    world.start();
    const id = world.facade.rent(UID);
    await until(() => expect(world.hypervisor.machines.size).toBe(1));
    world.facade.isDown = true;
    await until(() => expect(made()).toEqual(['create 1 broken off']));
    world.facade.expire(id);
    world.hypervisor.createMs = 0;
    world.facade.isDown = false;
    await untilPhase(id, 'Provisioned');
    expect(world.facade.statusOf(id).instance).toMatchObject({ epoch: 2 });
    expect(made()).toEqual(['create 1 broken off', 'adopt 1→2', 'create 2']);
  });

  test('that another agent got meanwhile: what was begun is removed', async () => {
    world.facade.ttlSeconds = 8;
    world.hypervisor.createMs = 40_000;
    world.start();
    const id = world.facade.rent(UID);
    await until(() => expect(world.hypervisor.machines.size).toBe(1));
    world.facade.isDown = true;
    await until(() => expect(made()).toEqual(['create 1 broken off']));
    world.facade.expire(id);
    takeAway(id);
    world.facade.isDown = false;
    await until(() => expect(world.hypervisor.machines.size).toBe(0));
    await until(() => expect(world.facade.statusOf(id).holders?.map((it) => it.epoch)).toEqual([2]));
  });

  test('an expired lock does not throw finished work away', async () => {
    world.ssh.isUp = false;
    world.start();
    const id = world.facade.rent(UID);
    await until(() => expect(made()).toEqual(['create 1']));
    world.facade.expire(id);
    world.ssh.isUp = true;
    await untilPhase(id, 'Provisioned');
    expect(world.facade.statusOf(id).instance).toMatchObject({ epoch: 1 });
  });
});

/** Another agent is granted the contract. */
function takeAway(id: string): void {
  const contract = world.facade.contracts.get(UID);
  if (!contract) throw new Error('not rented');
  const { status } = contract;
  const other = { agent: 'agent-2', agentUID: 'aaaaaaaa-0000-4000-8000-000000000002', epoch: 2 };
  const instants = { acquiredAt: '', renewedAt: '', expiresAt: '2030-01-01T00:00:00Z' };
  world.facade.contracts.set(UID, {
    ...contract,
    status: {
      ...status,
      phase: 'Provisioning',
      epoch: 2,
      lock: { ...other, ...instants, session: 's' },
      holders: [...(status.holders ?? []), other],
    },
  });
  expect(id).toBeDefined();
}

describe('after SIGKILL', () => {
  test('in the middle of a building the next start fences, adopts and finishes it', async () => {
    world.hypervisor.createMs = 600_000;
    const first = world.start();
    const id = world.facade.rent(UID);
    await until(() => expect(world.hypervisor.machines.size).toBe(1));
    first.kill();
    world.hypervisor.createMs = 0;
    world.start();
    await untilPhase(id, 'Provisioned');
    expect(world.facade.statusOf(id).instance).toMatchObject({ epoch: 2 });
    expect(made()).toEqual(['adopt 1→2', 'create 2']);
    // The old grant is confirmed absent once the old process is certainly silent.
    await until(() => expect(world.facade.statusOf(id).holders?.map((it) => it.epoch)).toEqual([2]));
  });

  test('between building and report the machine is reported as it is', async () => {
    world.ssh.isUp = false;
    const first = world.start();
    const id = world.facade.rent(UID);
    await until(() =>
      expect(openStore(world.stateDir, world.clock.now()).get(id).grant?.created).toBeDefined(),
    );
    first.kill();
    world.ssh.isUp = true;
    world.start();
    await untilPhase(id, 'Provisioned');
    expect(world.facade.statusOf(id).instance).toMatchObject({ epoch: 1 });
    expect(made()).toEqual(['create 1']);
  });

  test('a confirmation that was owed is made by the next start', async () => {
    const first = world.start();
    const id = world.facade.rent(UID);
    await untilPhase(id, 'Provisioned');
    world.facade.faults.set(
      'PUT terminated',
      Array.from({ length: 500 }, () => 'Refuse'),
    );
    world.facade.cancel(id);
    await until(() => expect(world.hypervisor.machines.size).toBe(0));
    first.kill();
    world.facade.faults.clear();
    world.start();
    await untilFree(id);
    expect(terminated()).toContain('PUT terminated 409 AbsenceNotYetCertain');
  });
});

test('a stop breaks nothing off that can be finished, says goodbye, and leaves the machines alone', async () => {
  world.hypervisor.createMs = 3000;
  const agent = world.start();
  const id = world.facade.rent(UID);
  await until(() => expect(world.hypervisor.machines.size).toBe(1));
  await agent.stop();
  expect(world.facade.statusOf(id).phase).toBe('Provisioned');
  expect(world.facade.session?.left).toBe(true);
  expect(made()).toEqual(['create 1']);
});

test('a stop that cannot wait leaves the building to the next start', async () => {
  world.hypervisor.createMs = 600_000;
  const agent = world.start({ stopMs: 1000 });
  const id = world.facade.rent(UID);
  await until(() => expect(world.hypervisor.machines.size).toBe(1));
  await agent.stop();
  world.hypervisor.createMs = 0;
  world.start();
  await untilPhase(id, 'Provisioned');
  expect(made()).toEqual(['create 1 broken off', 'adopt 1→2', 'create 2']);
});

describe('machines of no contract', () => {
  const orphans = { minAgeMs: 15 * 60_000, quarantineMs: 20_000, destroyedPerHourMax: 5 };
  const inventories = (): number => world.facade.calls.filter((call) => call === 'POST reconcile 200').length;

  test('are stopped when they are seen again and destroyed only after the quarantine', async () => {
    plant({ contractId: 'f'.repeat(32), epoch: 1 });
    world.start({ orphans, reconcileMs: 5000 });
    await until(() => expect(made()).toEqual(['stop 1']));
    expect(inventories()).toBeGreaterThanOrEqual(2);
    await world.clock.sleep(8000);
    expect(made()).toEqual(['stop 1']);
    await until(() => expect(made()).toEqual(['stop 1', 'destroy 1']));
  });

  test('go one after the other, so many an hour, also over a restart', async () => {
    for (const digit of ['a', 'b', 'c']) plant({ contractId: digit.repeat(32), epoch: 1 });
    const limits = { orphans: { ...orphans, quarantineMs: 0, destroyedPerHourMax: 1 }, reconcileMs: 2000 };
    const first = world.start(limits);
    await until(() => expect(world.hypervisor.machines.size).toBe(2));
    first.kill();
    const before = inventories();
    world.start(limits);
    await until(() => expect(inventories()).toBeGreaterThan(before + 5));
    expect(world.hypervisor.machines.size).toBe(2);
    expect(world.facade.said).toMatchObject({ stopped: 2, waiting: 2 });
  });

  test('are not counted down while nobody judges them, or while they cannot be listed', async () => {
    plant({ contractId: 'f'.repeat(32), epoch: 1 });
    world.start({ orphans, reconcileMs: 2000 });
    await until(() => expect(made()).toEqual(['stop 1']));
    world.hypervisor.failures.list = Number.POSITIVE_INFINITY;
    await world.clock.sleep(60_000);
    world.hypervisor.failures.list = 0;
    const before = inventories();
    await until(() => expect(inventories()).toBeGreaterThan(before + 2));
    expect(made()).toEqual(['stop 1']);
  });

  test('are left alone while they are young', async () => {
    plant({ contractId: 'f'.repeat(32), epoch: 1, createdAt: world.clock.now().toISOString() });
    world.start({ orphans: { ...orphans, quarantineMs: 0 }, reconcileMs: 2000 });
    await until(() => expect(inventories()).toBeGreaterThan(5));
    expect(made()).toEqual([]);
  });

  test('of another agent or installation are never touched', async () => {
    plant({ contractId: 'f'.repeat(32), epoch: 1, agentUid: 'aaaaaaaa-0000-4000-8000-000000000009' });
    plant({ contractId: 'e'.repeat(32), epoch: 1, installation: 'another' });
    world.start({ orphans: { ...orphans, minAgeMs: 0, quarantineMs: 0 }, reconcileMs: 2000 });
    await until(() => expect(inventories()).toBeGreaterThan(4));
    expect(made()).toEqual([]);
  });
});

test('what is kept and stands still is started again', async () => {
  const first = world.start();
  const id = world.facade.rent(UID);
  await untilPhase(id, 'Provisioned');
  await first.stop();
  const [machine] = world.hypervisor.machines.values();
  if (machine) world.hypervisor.machines.set(machine.externalId, { ...machine, state: 'Stopped' });
  world.start();
  await until(() => expect(made()).toEqual(['create 1', 'start 1']));
});

test('an agent that was revoked ends, and says why', async () => {
  const agent = world.start();
  await until(() => expect(world.facade.calls).toContain('POST heartbeat 200'));
  world.facade.isRevoked = true;
  await expect(agent.ended).rejects.toThrow(/revoked/);
});

test('a newer process of the same agent ends this one', async () => {
  const first = world.start();
  await until(() => expect(world.facade.calls).toContain('POST heartbeat 200'));
  world.start();
  await expect(first.ended).rejects.toThrow(/took over|two processes/);
});

test('a clone takes no work while the original lives, and leaves its machines alone', async () => {
  const original = world.start();
  await until(() => expect(world.facade.calls).toContain('POST heartbeat 200'));
  world.start({}, 'Clone');
  await until(() => expect(world.facade.calls).toContain('POST heartbeat 409 DuplicateAgent'));
  await original.stop();
  const id = world.facade.rent(UID);
  await world.clock.sleep(10_000);
  expect(world.facade.statusOf(id).phase).toBe('Accepted');
});

type Planted = Readonly<{
  contractId: string;
  epoch: number;
  agentUid?: string;
  installation?: string;
  createdAt?: string;
}>;

/** A machine that stands there for a day, unless said otherwise. */
function plant(tags: Planted): void {
  const externalId = `dc-${tags.contractId}`;
  const own = { installation: 'inst-test', agentUid: 'aaaaaaaa-0000-4000-8000-000000000001' };
  const createdAt = new Date(world.clock.now().getTime() - 24 * 3_600_000).toISOString();
  world.hypervisor.machines.set(externalId, { ...own, state: 'Running', createdAt, externalId, ...tags });
}
