import { beforeEach, describe, expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { aContract, aHolder, aLock, anAgent, aPool, at, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { prepareSupply } from '../../crds/placement/supply.ts';
import { createCache, type WritableCache } from '../../kube/cache.ts';
import type { Change, ChangeHandler, Informer } from '../../kube/informer.ts';
import { type KubeObject, keyOf } from '../../kube/object.ts';
import { INDEXES } from '../indexes.ts';
import { keepSupply, type SupplyKeeper } from './keeper.ts';

/** A cache with the operator's own indexes, told by hand of what a watch would bring. */
function aFeed<T extends KubeObject>(indexers: Readonly<Record<string, (object: T) => readonly string[]>>) {
  const handlers = new Set<ChangeHandler<T>>();
  const cache: WritableCache<T> = createCache<T>(indexers, (error) => {
    throw error;
  });
  const tell = (change: Change<T>): void => {
    for (const handler of handlers) handler(change);
  };
  const informer: Pick<Informer<T>, 'cache' | 'onChange'> = {
    cache,
    onChange: (handler) => {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
  return {
    informer: informer as Informer<T>, // the keeper uses no more of it
    put: (object: T): void => {
      const old = cache.put(object);
      tell(old ? { type: 'Updated', object, old } : { type: 'Added', object, isInitialList: false });
    },
    remove: (object: T): void => {
      cache.remove(keyOf(object));
      tell({ type: 'Deleted', object, isWatched: true });
    },
  };
}

type Stage = Readonly<{
  pools: ReturnType<typeof aFeed<AgentPool>>;
  agents: ReturnType<typeof aFeed<Agent>>;
  contracts: ReturnType<typeof aFeed<Contract>>;
  keeper: SupplyKeeper;
  turns: string[];
}>;
let stage: Stage;
beforeEach(() => {
  const pools = aFeed<AgentPool>(INDEXES.pools);
  const agents = aFeed<Agent>(INDEXES.agents);
  const contracts = aFeed<Contract>(INDEXES.contracts);
  const keeper = keepSupply({
    pools: pools.informer,
    agents: agents.informer,
    contracts: contracts.informer,
  });
  const turns: string[] = [];
  keeper.onTurn((pool, turn) => void turns.push(`${keyOf(pool)} ${turn}`));
  stage = { pools, agents, contracts, keeper, turns };
  pools.put(aPool());
  for (const n of [2, 1]) agents.put(online(n));
  turns.splice(0);
});

const condition = (type: string, status: 'True' | 'False', reason = 'Because') => ({
  ...{ type, status, reason, message: '' },
  lastTransitionTime: at(0).toISOString(),
});
const online = (n: number, change: Agent['status'] = {}, spec: Partial<Agent['spec']> = {}): Agent => ({
  ...anAgent(n, spec),
  status: { resources: { cpu: '4' }, conditions: [condition('Online', 'True')], ...change },
});
const contract = (n: number, status: Partial<ContractStatus>): Contract =>
  aContract('Provisioning', status, { metadata: { name: `c-${n}`, uid: uidOf(100 + n) } });
const held = (n: number, by: number, more: Partial<ContractStatus> = {}): Contract =>
  contract(n, { holders: [aHolder(by, 1)], ...more });
const KEY = 'acme/europe-script';
const agentsOf = () => stage.keeper.of('acme').pools.get('acme')?.[0]?.agents ?? [];
const usedBy = (n: number) => agentsOf().find(({ uid }) => uid === uidOf(n))?.load.used.instances;

test('is what preparing everything anew gives, in the order of names', () => {
  stage.contracts.put(held(1, 1));
  const agents = [online(1), online(2)].map((agent) => ({
    agent,
    presence: 'Online' as const,
    load: stage.keeper.load(agent),
    health: undefined,
  }));
  expect(stage.keeper.of('acme').pools.get('acme')).toEqual(
    prepareSupply({ pools: [aPool()], agents }).pools.get('acme'),
  );
});

describe('how full an agent is follows its contracts', () => {
  test('one more, one less, one that is gone', () => {
    expect(usedBy(1)).toBe(0);
    stage.contracts.put(held(1, 1));
    stage.contracts.put(held(2, 1));
    expect(usedBy(1)).toBe(2);
    stage.contracts.put(contract(1, { holders: [] }));
    expect(usedBy(1)).toBe(1);
    stage.contracts.remove(held(2, 1));
    expect([usedBy(1), usedBy(2)]).toEqual([0, 0]);
    expect(stage.turns).toEqual([`${KEY} Worse`, `${KEY} Worse`, `${KEY} Better`, `${KEY} Better`]);
  });
  test('a contract that is proven lets the next one be tried', () => {
    stage.contracts.put(held(1, 1));
    expect(agentsOf()[0]?.load.unproven).toBe(1);
    stage.contracts.put(held(1, 1, { phase: 'Active' }));
    expect(agentsOf()[0]?.load.unproven).toBe(0);
    expect(stage.turns.at(-1)).toBe(`${KEY} Better`);
  });
  test('a machine that is reported lets the next one be begun', () => {
    stage.contracts.put(held(1, 1, { lock: aLock(1) }));
    expect(agentsOf()[0]?.load.building).toBe(1);
    stage.contracts.put(held(1, 1, { phase: 'Provisioned' }));
    expect(agentsOf()[0]?.load.building).toBe(0);
    expect(stage.turns.at(-1)).toBe(`${KEY} Better`);
  });
  test('other news of a contract makes nothing anew', () => {
    stage.contracts.put(held(1, 1));
    const before = agentsOf();
    stage.turns.splice(0);
    stage.contracts.put(held(1, 1, { message: 'still building' }));
    expect(agentsOf()).toBe(before);
    expect(stage.turns).toEqual([]);
  });
});

describe('an agent', () => {
  test.each<[string, Agent]>([
    ['is cordoned', online(1, {}, { cordoned: true })],
    ['goes offline', online(1, { conditions: [condition('Online', 'False')] })],
    ['says that it is larger', online(1, { resources: { cpu: '8' } })],
    ['has failed', online(1, { health: { failures: [{ contractUID: uidOf(7), at: at(0).toISOString() }] } })],
    ['says that it is ill', online(1, { unhealthy: { reason: 'CannotList', message: 'no such file' } })],
    ['is labelled anew', { ...online(1), metadata: { ...anAgent(1).metadata, labels: { disk: 'nvme' } } }],
  ])('%s: what waits is looked at', (_name, agent) => {
    const before = agentsOf()[0];
    stage.agents.put(agent);
    expect(stage.turns).toContain(`${KEY} Better`);
    expect(agentsOf()[0]).not.toEqual(before);
    expect(agentsOf()[1]?.agent.metadata.name).toBe('agent-2');
  });
  test('was seen again, or its figures were written: nobody is woken', () => {
    const before = agentsOf();
    stage.agents.put(online(1, { lastSeenAt: at(5).toISOString(), activeContracts: 3 }));
    expect(stage.turns).toEqual([]);
    expect(agentsOf()).toBe(before);
  });
  test('that moves to another pool concerns both', () => {
    stage.pools.put(aPool('europe-2'));
    stage.turns.splice(0);
    stage.agents.put(online(1, {}, { poolName: 'europe-2' }));
    expect(stage.turns.sort()).toEqual(['acme/europe-2 Better', `${KEY} Better`]);
    expect(stage.keeper.pool('acme/europe-2')?.agents.map(({ uid }) => uid)).toEqual([uidOf(1)]);
    expect(stage.keeper.pool(KEY)?.agents.map(({ uid }) => uid)).toEqual([uidOf(2)]);
  });
  test('whose pool is not there is a stray, until it is', () => {
    stage.agents.put(online(3, {}, { poolName: 'later' }));
    const strays = () =>
      stage.keeper
        .of('acme')
        .strays.get('acme')
        ?.map(({ metadata }) => metadata.name);
    expect(strays()).toEqual(['agent-3']);
    stage.pools.put(aPool('later'));
    expect(strays()).toEqual([]);
    expect(stage.keeper.pool('acme/later')?.agents).toHaveLength(1);
  });
});

describe('a pool', () => {
  test('that is paused is looked at, and its agents are prepared anew for its rules', () => {
    stage.pools.put(aPool('europe-script', { minVersion: '2.0.0' }));
    expect(agentsOf()[0]?.fitness.outdated).toMatchObject({ reason: 'VersionTooOld' });
    expect(stage.turns).toEqual([`${KEY} Better`]);
  });
  test('whose figures were written wakes nobody, and is handed out as it is now', () => {
    stage.pools.put({ ...aPool(), status: { online: 2 } });
    expect(stage.turns).toEqual([]);
    expect(stage.keeper.pool(KEY)?.pool.status).toEqual({ online: 2 });
  });
  test('that is gone leaves its agents as strays', () => {
    stage.keeper.of('acme');
    stage.pools.remove(aPool());
    expect(stage.turns).toEqual([`${KEY} Better`]); // what waits for it has to say so
    expect(stage.keeper.of('acme').pools.get('acme')).toEqual([]);
    expect(stage.keeper.of('acme').strays.get('acme')).toHaveLength(2);
  });
});
