import { expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import { aContract, aHolder, anAgent, aPool, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { LABEL } from '../../crds/group.ts';
import type { ChangeHandler } from '../../kube/informer.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import type { Lease } from '../clients.ts';
import { createSupply } from './supply.ts';

/** Two agents of one pool that were heard just now; what the informers would tell is told by hand. */
function open() {
  const clock = fakeClock();
  const agents: Agent[] = [anAgent(1), anAgent(2)];
  const leases = new Map<string, Lease>();
  const held = new Map<string, Contract[]>();
  const handlers = { leases: [] as ChangeHandler<Lease>[], contracts: [] as ChangeHandler<Contract>[] };
  const flipped: string[] = [];
  const renew = (n: number): void => {
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: `agent-${n}`, namespace: 'acme', labels: { [LABEL.agent]: uidOf(n) } },
      spec: { holderIdentity: 's', leaseDurationSeconds: 45, renewTime: clock.now().toISOString() },
    };
    leases.set(uidOf(n), lease);
    for (const tell of handlers.leases) tell({ type: 'Added', object: lease, isInitialList: false });
  };
  const never = { onChange: () => () => undefined };
  const following = <T>(told: ChangeHandler<T>[]) => ({
    onChange: (handler: ChangeHandler<T>) => {
      told.push(handler);
      return () => undefined;
    },
  });
  const pool = aPool();
  const supply = createSupply({
    informers: {
      pools: never,
      agents: never,
      leases: following(handlers.leases),
      contracts: following(handlers.contracts),
      onNote: () => undefined,
    },
    caches: {
      pools: { inNamespace: () => [pool] },
      agents: {
        inNamespace: () => agents,
        byUid: (uid) => agents.find(({ metadata }) => metadata.uid === uid),
      },
      leases: { ofAgent: (uid) => leases.get(uid) },
      contracts: { byUid: () => undefined, failedBy: () => [], heldBy: (uid) => held.get(uid) ?? [] },
    },
    clock,
    onPresence: (uid) => flipped.push(uid),
  });
  renew(1);
  renew(2);
  flipped.length = 0;
  const take = (n: number): void => {
    const contract = aContract('Provisioning', { holders: [aHolder(n, 1)], epoch: 1 });
    held.set(uidOf(n), [contract]);
    for (const tell of handlers.contracts) tell({ type: 'Added', object: contract, isInitialList: false });
  };
  const away = (n: number) => supply.of('acme').agent(uidOf(n))?.fitness.away?.reason;
  return { clock, supply, renew, take, away, flipped };
}

test('a Lease that grows old is noticed by the time alone, and its return is told', async () => {
  const { clock, supply, renew, away, flipped } = open();
  expect([away(1), away(2)]).toEqual([undefined, undefined]);
  await clock.advance(30_000);
  renew(1);
  await clock.advance(15_000);
  expect([away(1), away(2)]).toEqual([undefined, 'AgentOffline']);
  expect(supply.of('acme').changesAtMs).toBe(clock.now().getTime() + 30_000);
  renew(2);
  expect(flipped).toEqual([uidOf(2)]);
  expect(away(2)).toBeUndefined();
});

test('a heartbeat that changes nothing makes nothing anew', async () => {
  const { clock, supply, renew } = open();
  const before = supply.of('acme');
  await clock.advance(15_000);
  renew(1);
  expect(supply.of('acme')).toBe(before);
  await clock.advance(30_001); // the other one is due
  renew(2);
  expect(supply.of('acme').version).toBe(before.version);
});

test('a contract makes the agents anew that hold it, and no other', () => {
  const { supply, take } = open();
  const before = supply.of('acme');
  take(1);
  const after = supply.of('acme');
  expect(after.version).toBeGreaterThan(before.version);
  expect(after.agent(uidOf(1))?.load.used.instances).toBe(1);
  expect(after.agent(uidOf(2))).toBe(before.agent(uidOf(2)));
});

test('who speaks to us is there, although its Lease is old', async () => {
  const { clock, supply, away } = open();
  await clock.advance(60_000);
  expect(away(1)).toBe('AgentOffline');
  supply.heard(anAgent(1));
  expect(away(1)).toBeUndefined();
  await clock.advance(2_000);
  expect(away(1)).toBe('AgentOffline');
});
