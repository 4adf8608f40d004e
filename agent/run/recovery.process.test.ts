/** The whole agent: locks that are lost, processes that are killed, stopped, superseded or cloned. */
import { describe, expect, test } from 'vitest';
import { openStore } from '../state/store.ts';
import {
  made,
  terminated,
  UID,
  until,
  untilFree,
  untilPhase,
  useAgentWorld,
  world,
} from '../testing/use-agent-world.ts';

useAgentWorld();

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
