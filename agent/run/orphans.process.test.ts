/** The whole agent, and machines on its host that nobody knows. */
import { describe, expect, test } from 'vitest';
import { made, until, useAgentWorld, world } from '../testing/use-agent-world.ts';

useAgentWorld();

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
