/** The whole agent: it takes no more than its host may be promised for, whatever it is offered. */
import { expect, test } from 'vitest';
import { AGENT_UID, INSTALLATION } from '../testing/fake-facade.ts';
import { made, until, untilFree, untilPhase, useAgentWorld, world } from '../testing/use-agent-world.ts';

useAgentWorld();

const uidOf = (n: number): string => `0b7c9d6e-1111-4222-8333-94444555566${n}`;
const rent = (...numbers: readonly number[]): string[] => numbers.map((n) => world.facade.rent(uidOf(n)));
const phases = (ids: readonly string[]): string[] =>
  ids.map((id) => world.facade.statusOf(id).phase).sort((a, b) => (a < b ? -1 : 1));

test('offered six, it takes the three that fit; also after SIGKILL; and one more when one has ended', async () => {
  world.facade.promised = { cpuMilli: 3000 };
  const first = world.start();
  const ids = rent(1, 2, 3, 4, 5, 6);
  const three = ['Accepted', 'Accepted', 'Accepted', 'Provisioned', 'Provisioned', 'Provisioned'];
  await until(() => expect(phases(ids)).toEqual(three));
  first.kill();
  const calls = world.facade.calls.length;
  world.start();
  const polls = () => world.facade.calls.slice(calls).filter((call) => call === 'GET work 200').length;
  await until(() => expect(polls()).toBeGreaterThan(2)); // it was offered the others again
  expect(phases(ids)).toEqual(three);
  expect(made()).toHaveLength(3);
  const [ending = ''] = ids.filter((id) => world.facade.statusOf(id).phase === 'Provisioned');
  world.facade.cancel(ending);
  await untilFree(ending);
  await until(() => expect(world.hypervisor.machines.size).toBe(3));
  expect(world.facade.calls.filter((call) => call.startsWith('DELETE lock'))).toEqual([]);
});

test('a facade that does not say how much limits nothing', async () => {
  world.start();
  const ids = rent(1, 2, 3, 4, 5, 6);
  await until(() => expect(new Set(phases(ids))).toEqual(new Set(['Provisioned'])));
});

test('it looks again before it builds: what stands by then makes it give the lock back', async () => {
  world.facade.promised = { instances: 1 };
  world.start({ reconcileMs: 3_600_000 });
  await until(() => expect(world.facade.calls).toContain('POST reconcile 200'));
  const contractId = 'f'.repeat(32);
  const tags = { contractId, epoch: 1, installation: INSTALLATION, agentUid: AGENT_UID };
  const machine = { ...tags, externalId: 'of-another-process', state: 'Running' } as const;
  world.hypervisor.machines.set('other', { ...machine, createdAt: world.clock.now().toISOString() });
  const [id = ''] = rent(1);
  await until(() => expect(world.facade.calls).toContain('DELETE lock 200'));
  await untilPhase(id, 'Accepted');
  expect(world.facade.statusOf(id)).toMatchObject({ capacityReleases: 1, holders: [] });
  expect(made()).toEqual([]);
});
