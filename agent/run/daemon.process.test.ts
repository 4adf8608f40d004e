/** The whole agent against a facade that verifies, validates and decides as the real one. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
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

const OTHER_UID = '1b7c9d6e-1111-4222-8333-944445555666';

useAgentWorld();

test('builds what is rented and reports what it saw of SSH', async () => {
  world.start();
  const id = world.facade.rent(UID);
  await untilPhase(id, 'Provisioned');
  const { instance, access } = world.facade.statusOf(id);
  expect(instance).toMatchObject({ epoch: 1, externalId: `dc-${id}` });
  expect(access).toMatchObject({
    host: '127.0.0.1',
    port: 2222,
    user: 'tenant',
    verifiedAt: expect.any(String),
  });
  expect(made()).toEqual(['create 1']);
});

test('several contracts at a time, and no more than it may', async () => {
  world.hypervisor.createMs = 4000;
  world.start({ maxConcurrent: 2 });
  const ids = [1, 2, 3].map((n) => world.facade.rent(UID.replace(/^./, String(n))));
  for (const id of ids) await untilPhase(id, 'Provisioned');
  expect(world.hypervisor.createdAtOnceMax).toBe(2);
});

test('takes no more than there is room for', async () => {
  world.start({ maxInstances: 1 });
  const first = world.facade.rent(UID);
  await untilPhase(first, 'Provisioned');
  const second = world.facade.rent(OTHER_UID);
  await world.clock.sleep(10_000);
  expect(world.facade.statusOf(second)).toMatchObject({ phase: 'Accepted', epoch: 0 });
});

describe('a cancel', () => {
  test('of a running machine destroys it and confirms', async () => {
    world.start();
    const id = world.facade.rent(UID);
    await untilPhase(id, 'Provisioned');
    world.facade.cancel(id);
    await untilFree(id);
    expect(made()).toEqual(['create 1', 'destroy 1']);
    expect(world.hypervisor.machines.size).toBe(0);
  });

  test('during the building breaks it off, removes what was begun and confirms', async () => {
    world.hypervisor.createMs = 60_000;
    world.start();
    const id = world.facade.rent(UID);
    await until(() => expect(world.hypervisor.machines.size).toBe(1));
    world.facade.cancel(id);
    await untilFree(id);
    expect(made()).toEqual(['create 1 broken off', 'destroy 1']);
  });
});

describe('a reply that is lost', () => {
  for (const route of ['POST lock', 'POST provisioned'])
    test(`of ${route} changes nothing`, async () => {
      world.facade.faults.set(route, ['LoseReply']);
      world.start();
      const id = world.facade.rent(UID);
      await untilPhase(id, 'Provisioned');
      await until(() => expect(openStore(world.stateDir, world.clock.now()).get(id).grant).toBeUndefined());
      expect(made()).toEqual(['create 1']);
      expect(world.facade.statusOf(id).epoch).toBe(1);
    });

  test('of terminated: it is said again', async () => {
    world.facade.faults.set('PUT terminated', ['LoseReply']);
    world.start();
    const id = world.facade.rent(UID);
    await untilPhase(id, 'Provisioned');
    world.facade.cancel(id);
    await until(() => expect(terminated().length).toBe(2));
  });
});

describe('a failure', () => {
  const broken = () => new ProvisionerError('ProgramFailed', 'the disk is full', { remedy: 'none' });

  test('is reported, what was begun removed and confirmed, and the next attempt builds', async () => {
    world.hypervisor.failures.create.push(broken());
    world.start();
    const id = world.facade.rent(UID);
    await untilPhase(id, 'Provisioned');
    expect(world.facade.statusOf(id).attempts?.[0]).toMatchObject({
      outcome: 'Failed',
      message: 'the disk is full',
    });
    expect(made()).toEqual(['create 1 broken off', 'destroy 1', 'create 3']);
    expect(world.facade.statusOf(id).holders).toHaveLength(1);
  });

  test('for lack of room gives the contract back without an attempt', async () => {
    const full = new ProvisionerError('ProgramRefused', 'no room', { remedy: 'none', class: 'capacity' });
    world.hypervisor.failures.create.push(full);
    world.start();
    const id = world.facade.rent(UID);
    await until(() => expect(world.facade.calls).toContain('DELETE lock 200'));
    expect(world.facade.statusOf(id)).toMatchObject({ phase: 'Accepted', holders: [], capacityReleases: 1 });
  });

  test('when SSH never answers', async () => {
    world.ssh.isUp = false;
    world.start();
    const id = world.facade.rent(UID);
    await until(() =>
      expect(world.facade.statusOf(id).attempts?.[0]?.message).toMatch(/no SSH server at 127/),
    );
    await until(() => expect(made()).toEqual(['create 1', 'destroy 1']));
  });

  test('of a listing is no empty listing: nothing is said to be gone', async () => {
    world.start();
    const id = world.facade.rent(UID);
    await untilPhase(id, 'Provisioned');
    world.hypervisor.failures.list = 4;
    world.facade.cancel(id);
    await until(() => expect(world.hypervisor.failures.list).toBe(0));
    expect(terminated()).toEqual([]);
    await untilFree(id);
    expect(made()).toEqual(['create 1', 'destroy 1']);
  });

  test('of every listing is told, takes no new work and lets what runs be; one that succeeds is well again', async () => {
    world.start();
    const first = world.facade.rent(UID);
    await untilPhase(first, 'Provisioned');
    expect(world.facade.unhealthy).toBeUndefined();
    world.hypervisor.failures.list = Number.POSITIVE_INFINITY;
    await until(() =>
      expect(world.facade.unhealthy).toEqual({
        reason: 'CannotList',
        message: expect.stringContaining('3 times in a row or more: the listing failed'),
      }),
    );
    const second = world.facade.rent(OTHER_UID);
    await world.clock.sleep(10_000);
    expect(world.facade.statusOf(second)).toMatchObject({ phase: 'Accepted', epoch: 0 });
    expect(made()).toEqual(['create 1']);
    world.hypervisor.failures.list = 0;
    await until(() => expect(world.facade.unhealthy).toBeUndefined());
    await untilPhase(second, 'Provisioned');
    expect(world.logged()).toContain('healthy again');
  });

  test('to write to the state folder is told, and over when it can be written again', async () => {
    const obstacle = join(world.stateDir, '.health');
    mkdirSync(obstacle);
    world.start();
    await until(() => expect(world.facade.unhealthy?.reason).toBe('StateNotWritable'));
    rmdirSync(obstacle);
    await until(() => expect(world.facade.unhealthy).toBeUndefined());
  });
});
