import { describe, expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import { aContract, aHolder, anAgent, aPool, at, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { loaded, someAgent } from '../../crds/placement/builders.ts';
import { NO_LOAD } from '../../crds/placement/load.ts';
import { prepareSupply } from '../../crds/placement/supply.ts';
import { createCache } from '../../kube/cache.ts';
import type { Informer } from '../../kube/informer.ts';
import { INDEXES } from '../indexes.ts';
import { someFacts } from './builders.ts';
import { decide } from './decide.ts';
import { hostsOf } from './hosts.ts';
import { createMoveTurns } from './move-turns.ts';

const fails = (error: unknown): never => {
  throw error;
};
const terms = someTerms({ allowRecreation: true });
const aTenantOf = (n: number, status: Partial<ContractStatus> = {}, spec = {}): LiveContract =>
  aContract(
    'Active',
    {
      ...{ epoch: 1, holders: [aHolder(1, 1)], agent: 'agent-1', pool: 'europe-script' },
      instance: { agentUID: uidOf(1), epoch: 1, externalId: `dc-${n}` },
      ...{ startsAt: at(0).toISOString(), endsAt: at(86_400).toISOString(), ...status },
    },
    { metadata: { name: `c-${n}`, uid: uidOf(100 + n) }, spec: { termsSnapshot: terms, ...spec } },
  );
const waiting = (n: number, status: Partial<ContractStatus> = {}, spec = {}): LiveContract =>
  aContract('Accepted', status, { metadata: { name: `w-${n}`, uid: uidOf(200 + n) }, spec });
const scheduling = (reason: 'NoCapacity' | 'NoMatchingAgent') => ({
  scheduling: { reason, counts: [], examples: [], at: at(0).toISOString() },
});

/** Agent 1 is drained and its deadline is over; agent 2 has room for the moved. */
function market(load = NO_LOAD) {
  const cache = createCache<Contract>(INDEXES.contracts, fails);
  const agents = createCache<Agent>({}, fails);
  const drain = { draining: true, drainBy: at(30).toISOString() };
  agents.put(anAgent(1, drain));
  agents.put(anAgent(2));
  const supply = prepareSupply({
    pools: [aPool()],
    agents: [someAgent(1, { spec: drain }), someAgent(2, { facts: { load } })],
  });
  let nowMs = 0;
  const turns = createMoveTurns({ contracts: cache, clock: { monotonicMs: () => nowMs } });
  const deps = {
    informers: {
      contracts: { cache } as unknown as Informer<Contract>, // no more of it is used
      agents: { cache: agents } as unknown as Informer<Agent>, // no more of it is used
    },
    supply: { of: () => supply },
    turns,
  };
  return {
    put: (...contracts: Contract[]) => contracts.forEach((contract) => void cache.put(contract)),
    pass: (ms: number) => {
      nowMs += ms;
    },
    look: (contract: Contract) =>
      decide(someFacts({ contract, hosts: hostsOf(deps, { contract, now: at(60) }), now: at(60) })),
  };
}

describe('of many contracts that would all find the last room', () => {
  test('one is moved; the next when that one has a place, and is asked again soon', () => {
    const { put, look, pass } = market();
    put(aTenantOf(1), aTenantOf(2));
    const first = look(aTenantOf(1));
    expect(first.status).toMatchObject({ phase: 'Accepted', reason: 'Moved' });
    expect(look(aTenantOf(2))).toMatchObject({ status: { phase: 'Active' }, requeueAfterMs: 3_000 });
    expect(look(aTenantOf(1)).status?.reason).toBe('Moved'); // a conflict: decided again
    const moved = { ...aTenantOf(1), status: first.status as ContractStatus };
    put(moved);
    pass(3_600_000);
    expect(look(aTenantOf(2)).status?.phase).toBe('Active');
    put({ ...moved, status: { ...moved.status, phase: 'Provisioning' } });
    expect(look(aTenantOf(2)).status?.reason).toBe('Moved');
  });

  test('a turn that came to nothing is over after a while', () => {
    const { put, look, pass } = market();
    put(aTenantOf(1), aTenantOf(2));
    look(aTenantOf(1));
    pass(10_000);
    expect(look(aTenantOf(2)).status?.reason).toBe('Moved');
  });

  test('what has no machine yet goes before what has one', () => {
    const { put, look } = market();
    put(aTenantOf(1), waiting(1, scheduling('NoCapacity')));
    const { status } = look(aTenantOf(1));
    expect(status?.phase).toBe('Active');
    expect(status?.conditions).toMatchObject([{ type: 'Movable', status: 'False', reason: 'NoOtherAgent' }]);
  });

  const huge = someTerms({ resources: { cpu: '64', memory: '1Gi', storage: '1Gi' } });
  const large = someTerms({ resources: { cpu: '20', memory: '1Gi', storage: '1Gi' } });
  test.each([
    ['is on its way', {}, {}],
    [
      'wants another kind of host',
      scheduling('NoMatchingAgent'),
      { requirements: { capabilities: ['tpu'] } },
    ],
    ['no host could ever hold', scheduling('NoCapacity'), huge],
    ['has not enough room there', scheduling('NoCapacity'), large],
  ])('what %s holds nobody up', (_name, status, terms) => {
    const { put, look } = market(loaded(16));
    put(aTenantOf(1), waiting(1, status, { termsSnapshot: someTerms(terms) }));
    expect(look(aTenantOf(1)).status?.reason).toBe('Moved');
  });

  test('who may not be moved or ends takes no turn', () => {
    const { put, look } = market();
    const precious = aTenantOf(1, {}, { termsSnapshot: someTerms() });
    const ending = aTenantOf(2, {}, { cancel: { requested: true } });
    put(precious, ending, aTenantOf(3));
    expect(look(precious).status?.phase).toBe('Active');
    expect(look(ending).status?.phase).toBe('Terminating');
    expect(look(aTenantOf(3)).status?.reason).toBe('Moved');
  });
});
