import { describe, expect, test } from 'vitest';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { aContract, aHolder, aPool, at, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { AgentFacts } from '../../crds/placement/agent-facts.ts';
import { aGoingPool, failedAttempt, someAgent } from '../../crds/placement/builders.ts';
import { prepareSupply } from '../../crds/placement/supply.ts';
import { createCache } from '../../kube/cache.ts';
import type { Informer } from '../../kube/informer.ts';
import { INDEXES } from '../indexes.ts';
import { outlookFor } from './outlook.ts';

const cordoned = someAgent(1, { spec: { cordoned: true } });
const market = (agents: AgentFacts[], pools: AgentPool[] = [aPool()], others: Contract[] = []) => {
  const supply = prepareSupply({ pools, agents });
  const cache = createCache<Contract>(INDEXES.contracts, (error) => {
    throw error;
  });
  const contracts = { cache } as unknown as Informer<Contract>; // no more of it is used
  return (contract: Contract, seconds = 0) => {
    for (const other of others) cache.put(other);
    const terms = contract.spec.termsSnapshot;
    return outlookFor(
      { informers: { contracts }, supply: { of: () => supply } },
      { contract, terms, now: at(seconds) },
    );
  };
};
const order = (n: number, change: Parameters<typeof aContract>[1] = {}, spec = {}) =>
  aContract('Accepted', change, { metadata: { name: `c-${n}`, uid: uidOf(100 + n) }, spec });

describe('is asked of placement', () => {
  test('for what waits: accepted, requested, new, or to be retried', () => {
    const ask = market([someAgent(1)]);
    const { status: _none, ...fresh } = order(1);
    for (const contract of [order(1), aContract('Requested'), fresh])
      expect(ask(contract)).toMatchObject({ why: { schedulable: true }, hasHope: true });
    const failed = (spec: object) => aContract('Failed', {}, { spec });
    expect(ask(failed({ retry: 1 })).why.schedulable).toBe(true);
    for (const contract of [failed({}), aContract('Active')]) expect(ask(contract).why.message).toBe('');
  });
  test('there is hope where room or time is all that is lacking', () => {
    const full = someAgent(1, { facts: { load: { used: { ...NO_ROOM }, unproven: 0, building: 0 } } });
    expect(market([full])(order(1))).toMatchObject({ why: { reason: 'NoCapacity' }, hasHope: true });
  });
  const refused = order(1, { attempts: [{ ...failedAttempt(1, 1, at(-60)), class: 'configuration' }] });
  const others: [string, AgentFacts[], boolean][] = [
    ['nobody else is there', [], false],
    ['the other is cordoned', [someAgent(2, { spec: { cordoned: true } })], true],
    ['the other is offline', [someAgent(2, { facts: { presence: 'Offline' } })], true],
    ['the other is revoked', [someAgent(2, { spec: { revoked: true } })], false],
    ['the other may not build', [someAgent(2, { spec: { permissions: ['heartbeat'] } })], false],
    [
      'the other is cordoned, and may not build',
      [someAgent(2, { spec: { cordoned: true, permissions: ['heartbeat'] } })],
      false,
    ],
  ];
  test.each(others)(
    'after a refusal, as far as somebody else may come back: %s',
    (_name, agents, hasHope) => {
      const first = someAgent(1, { spec: { cordoned: true } }); // it refused: that it may come back is no hope
      expect(market([first, ...agents])(refused)).toMatchObject({ why: { schedulable: false }, hasHope });
    },
  );
  test('a pool that is being deleted is no hope, whatever its agents could', () => {
    const agents = [someAgent(1), someAgent(2, { spec: { cordoned: true } })];
    expect(market(agents, [aGoingPool()])(order(1))).toMatchObject({
      why: { reason: 'NoPool' },
      hasHope: false,
    });
  });
  test('who is to stay apart is looked up by index', () => {
    const antiAffinity = { group: 'db', mode: 'Required' } as const;
    const other = order(9, { holders: [aHolder(1, 1)] }, { antiAffinity });
    const ask = market([someAgent(1)], [aPool()], [other]);
    expect(ask(order(1, {}, { antiAffinity })).why.counts).toEqual([{ reason: 'AntiAffinity', count: 1 }]);
    expect(ask(order(1)).why.schedulable).toBe(true);
  });
});
const NO_ROOM = { cpuMilli: 32_000, memoryBytes: 0, storageBytes: 0, gpus: 0, instances: 1 };

describe('one answer for all that ask for the same', () => {
  test('while pools and agents stay as they are', () => {
    const ask = market([cordoned]);
    expect(ask(order(2), 5)).toBe(ask(order(1)));
    expect(market([cordoned])(order(1))).not.toBe(ask(order(1)));
  });
  const alone: [string, Contract][] = [
    [
      'asks for more',
      order(2, {}, { termsSnapshot: someTerms({ resources: { cpu: '64', memory: '1Gi', storage: '1Gi' } }) }),
    ],
    ['was tried', order(2, { attempts: [failedAttempt(1, 1, at(-60))] })],
    ['is held', order(2, { holders: [aHolder(2, 1)] })],
    ['pauses', order(2, { nextAttemptAt: at(60).toISOString() })],
    ['is to stay apart', order(2, {}, { antiAffinity: { group: 'db', mode: 'Preferred' } })],
  ];
  test.each(alone)('but not for one that %s', (_name, contract) => {
    const ask = market([cordoned]);
    expect(ask(contract)).not.toBe(ask(order(1)));
  });
  test('whom it is kept apart from counts, not that it is: until another of its group has a host', () => {
    const antiAffinity = { group: 'db', mode: 'Required' } as const;
    const others: Contract[] = [];
    const ask = market([someAgent(1), someAgent(2)], [aPool()], others);
    const apart = (n: number) => order(n, {}, { antiAffinity });
    expect(ask(apart(1))).toBe(ask(apart(2)));
    expect(ask(apart(1))).not.toBe(ask(order(3)));
    const before = ask(apart(1));
    others.push(order(9, { holders: [aHolder(1, 1)] }, { antiAffinity }));
    expect(ask(apart(1))).not.toBe(before);
    expect(ask(apart(2)).why.counts).toEqual([{ reason: 'AntiAffinity', count: 1 }]);
    expect(ask(order(4, {}, { antiAffinity: { ...antiAffinity, group: 'web' } })).why.counts).toEqual([]);
  });
  test('nor where a fallback opens for each at its own time, nor once time has changed the answer', () => {
    const fallbackPools = [{ name: 'other', afterSeconds: 1 }];
    const ask = market([cordoned], [aPool('europe-script', { fallbackPools }), aPool('other')]);
    expect(ask(order(2), 9)).not.toBe(ask(order(1), 9));
    const failures = [1, 2, 3].map((n) => ({ contractUID: uidOf(n), at: at(-n).toISOString() }));
    const open = market([someAgent(1, { facts: { health: { failures } } })]);
    expect(open(order(2))).toBe(open(order(1)));
    const first = open(order(1));
    const untilMs = first.why.againAtMs ?? 0;
    const seconds = (untilMs - at(0).getTime()) / 1000;
    expect(open(order(2), seconds - 1)).toBe(first);
    expect(open(order(2), seconds)).not.toBe(first);
  });
  test('nor where what comes back in time for the one comes too late for the other', () => {
    const failures = [1, 2, 3].map((n) => ({ contractUID: uidOf(n), at: at(-n).toISOString() }));
    const ask = market([someAgent(1, { facts: { health: { failures } } })]);
    const endingAt = (n: number, seconds: number) => order(n, { provisionBy: at(seconds).toISOString() });
    const [soon, late] = [ask(endingAt(1, 60)), ask(endingAt(2, 3600))];
    expect(soon.why.message).toContain('too late, it is tried until 12:01:00 UTC');
    expect(soon.why.message).not.toContain('What helps');
    expect(late.why.message).toContain('What helps: wait for node-1 at');
    expect([ask(endingAt(3, 90)), ask(endingAt(4, 3000))]).toEqual([soon, late]);
    expect(ask(endingAt(4, 3000))).toBe(late);
    expect(ask(endingAt(3, 90))).toBe(soon);
  });
  test('nor over midnight: an instant of another day is told with its date', () => {
    const ask = market([cordoned]);
    expect(ask(order(1), 86_400)).not.toBe(ask(order(1)));
  });
});
