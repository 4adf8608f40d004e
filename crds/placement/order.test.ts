import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aPool, at, someTerms, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import { crowded, failedAttempt, firsts, loaded, placeIn, someAgent, type World } from './builders.ts';

const packed = [aPool('europe-script', { placement: { strategy: 'Pack' } })];
const unsized = { status: { resources: undefined } };
const lately = { health: { failures: [{ contractUID: uidOf(1), at: at(-60).toISOString() }] } };
const twoPools = [aPool(), aPool('second', { priority: -1 })];

type Case = {
  name: string;
  world: World;
  contract?: LiveContract;
  siblings?: LiveContract[];
  want: string[];
};
const cases: Case[] = [
  {
    name: 'Spread: the emptiest first, by what is fullest on it',
    world: {
      agents: [
        someAgent(1, { facts: { load: loaded(16) } }),
        someAgent(2, { facts: { load: loaded(1, { memory: '100Gi' }) } }),
        someAgent(3, { facts: { load: loaded(8) } }),
      ],
    },
    want: ['node-3', 'node-1', 'node-2'],
  },
  {
    name: 'Pack: the fullest that still has room first',
    world: {
      pools: packed,
      agents: [
        someAgent(1, { facts: { load: loaded(16) } }),
        someAgent(2, { facts: { load: loaded(32) } }),
        someAgent(3, { facts: { load: loaded(24) } }),
      ],
    },
    want: ['node-3', 'node-1'],
  },
  {
    name: 'what it holds of this very contract is counted once',
    world: {
      agents: [someAgent(1, { facts: { load: loaded(20) } }), someAgent(2, { facts: { load: loaded(5) } })],
    },
    contract: aContract(
      'Accepted',
      { epoch: 1, holders: [aHolder(1, 1)] },
      { spec: { termsSnapshot: someTerms({ resources: { cpu: '16', memory: '1Gi', storage: '1Gi' } }) } },
    ),
    want: ['node-1', 'node-2'],
  },
  {
    name: 'agents that say nothing of their size: by how many machines they have',
    world: {
      agents: [
        someAgent(1, { ...unsized, facts: { load: crowded(5) } }),
        someAgent(2, { ...unsized, facts: { load: crowded(1) } }),
      ],
    },
    want: ['node-2', 'node-1'],
  },
  {
    name: 'a recent failure weighs more than a little load',
    world: { agents: [someAgent(1, { facts: lately }), someAgent(2, { facts: { load: loaded(3) } })] },
    want: ['node-2', 'node-1'],
  },
  {
    name: 'but less than a lot of it',
    world: { agents: [someAgent(1, { facts: lately }), someAgent(2, { facts: { load: loaded(16) } })] },
    want: ['node-1', 'node-2'],
  },
  {
    name: 'priority of the pool before load',
    world: {
      pools: twoPools,
      agents: [someAgent(1, { facts: { load: loaded(30) } }), someAgent(2, { pool: 'second' })],
    },
    want: ['node-1', 'node-2'],
  },
  {
    name: 'an agent that failed this very contract comes last, even after another pool',
    world: { pools: twoPools, agents: [someAgent(1), someAgent(2, { pool: 'second' })] },
    contract: aContract('Accepted', { epoch: 2, attempts: [failedAttempt(1, 1, at(-60))] }),
    want: ['node-2', 'node-1'],
  },
  {
    name: "what failed before the provider's retry is forgotten",
    world: { pools: twoPools, agents: [someAgent(1), someAgent(2, { pool: 'second' })] },
    contract: aContract('Accepted', {
      epoch: 3,
      attemptsFrom: 3,
      attempts: [failedAttempt(1, 1, at(-60))],
    }),
    want: ['node-1', 'node-2'],
  },
  {
    name: 'who failed it twice after who failed it once',
    world: { agents: [someAgent(1), someAgent(2, { facts: { load: loaded(30) } })] },
    contract: aContract('Accepted', {
      epoch: 6,
      attempts: [failedAttempt(1, 1, at(-90)), failedAttempt(2, 3, at(-60)), failedAttempt(1, 5, at(-30))],
    }),
    want: ['node-2', 'node-1'],
  },
  {
    name: 'who gave it back is asked again as before, who had no room is not',
    world: {
      agents: [
        someAgent(1),
        someAgent(2, { facts: { load: loaded(16) } }),
        someAgent(3, { facts: { load: loaded(24) } }),
      ],
    },
    contract: aContract('Accepted', {
      epoch: 4,
      attempts: [
        { ...failedAttempt(1, 1, at(-90)), outcome: 'Released', class: 'capacity' },
        { ...failedAttempt(2, 3, at(-60)), outcome: 'Released' },
      ],
    }),
    want: ['node-2', 'node-3', 'node-1'],
  },
  {
    name: 'who built it before builds it again, though others are emptier or of a better pool',
    world: {
      pools: twoPools,
      agents: [someAgent(1), someAgent(2, { pool: 'second', facts: { load: loaded(30) } })],
    },
    contract: aContract('Accepted', {
      epoch: 3,
      attemptsFrom: 3,
      attempts: [failedAttempt(2, 1, at(-99)), { ...failedAttempt(2, 2, at(-60)), outcome: 'Succeeded' }],
    }),
    want: ['node-2', 'node-1'],
  },
  {
    name: 'unless it failed to',
    world: { agents: [someAgent(1), someAgent(2)] },
    contract: aContract('Accepted', {
      epoch: 4,
      attemptsFrom: 2,
      attempts: [{ ...failedAttempt(2, 1, at(-99)), outcome: 'Succeeded' }, failedAttempt(2, 3, at(-60))],
    }),
    want: ['node-1', 'node-2'],
  },
  {
    name: 'who held the lock that ran out a moment ago, before all',
    world: { pools: twoPools, agents: [someAgent(1), someAgent(2, { pool: 'second' })] },
    contract: aContract('Accepted', {
      epoch: 1,
      attempts: [{ ...failedAttempt(2, 1, at(-10)), outcome: 'Expired' }],
      holders: [aHolder(2, 1)],
    }),
    want: ['node-2', 'node-1'],
  },
  {
    name: 'and not when somebody held it since',
    world: { pools: twoPools, agents: [someAgent(1), someAgent(2, { pool: 'second' })] },
    contract: aContract('Accepted', {
      epoch: 3,
      attempts: [{ ...failedAttempt(2, 1, at(-10)), outcome: 'Expired' }],
    }),
    want: ['node-1', 'node-2'],
  },
  {
    name: 'and not once its time is over',
    world: { pools: twoPools, agents: [someAgent(1), someAgent(2, { pool: 'second' })] },
    contract: aContract('Accepted', {
      epoch: 1,
      attempts: [{ ...failedAttempt(2, 1, at(-30)), outcome: 'Expired' }],
      holders: [aHolder(2, 1)],
    }),
    want: ['node-1', 'node-2'],
  },
  {
    name: 'apart from others of the group where that is possible',
    world: { agents: [someAgent(1), someAgent(2, { facts: { load: loaded(30) } })] },
    contract: aContract('Accepted', {}, { spec: { antiAffinity: { group: 'web', mode: 'Preferred' } } }),
    siblings: [
      aContract(
        'Active',
        { holders: [aHolder(1, 1)] },
        { metadata: { uid: uidOf(7) }, spec: { antiAffinity: { group: 'web', mode: 'Preferred' } } },
      ),
    ],
    want: ['node-2', 'node-1'],
  },
];

describe('the first choice', () => {
  for (const { name, world, contract = aContract(), siblings = [], want } of cases)
    test(name, () => expect(firsts(placeIn(world, contract, { now: at(0), siblings }))).toEqual(want));

  test('equal agents share contracts among them, in the same order in every process', () => {
    const agents = [1, 2, 3, 4].map((n) => someAgent(n));
    const first = new Map<string | undefined, number>();
    for (let n = 0; n < 400; n++) {
      const contract = aContract(
        'Accepted',
        {},
        { metadata: { uid: uidOf(5000 + n) }, spec: { termsSnapshot: someTerms() } },
      );
      const order = firsts(placeIn({ agents }, contract, { now: at(0) }));
      expect(firsts(placeIn({ agents: agents.toReversed() }, contract, { now: at(0) }))).toEqual(order);
      first.set(order[0], (first.get(order[0]) ?? 0) + 1);
    }
    expect([...first.values()].every((count) => count > 60 && count < 140)).toBe(true);
  });
});
