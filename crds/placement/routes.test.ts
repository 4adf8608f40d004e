import { describe, expect, test } from 'vitest';
import { aContract, aPool, at, someTerms } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import { aGoingPool, firsts, loaded, placeIn, refusals, someAgent, type World } from './builders.ts';
import type { Terms } from './demand.ts';

const asking = (terms: Partial<Terms>, status: Partial<LiveContract['status']> = {}): LiveContract =>
  aContract('Accepted', status, { spec: { termsSnapshot: someTerms(terms) } });
type Case = {
  name: string;
  terms?: Partial<Terms>;
  world: World;
  seconds?: number;
  firsts: string[];
  refusals?: string[];
};

const cases: Case[] = [
  {
    name: 'region and type choose the pool',
    world: {
      pools: [aPool(), aPool('us', { location: 'na' }), aPool('px', { provisionerType: 'proxmox' })],
      agents: [someAgent(1), someAgent(2, { pool: 'us' }), someAgent(3, { pool: 'px' })],
    },
    firsts: ['node-1'],
    refusals: ['us: WrongRegion', 'px: WrongType'],
  },
  {
    name: 'the explicit pool, wherever it is, and no other',
    terms: { poolName: 'us' },
    world: {
      pools: [aPool(), aPool('us', { location: 'na' })],
      agents: [someAgent(1), someAgent(2, { pool: 'us' })],
    },
    firsts: ['node-2'],
    refusals: ['europe-script: NotTheChosenPool'],
  },
  {
    name: 'the explicit pool must be of the type',
    terms: { poolName: 'px' },
    world: { pools: [aPool('px', { provisionerType: 'proxmox' })], agents: [someAgent(1, { pool: 'px' })] },
    firsts: [],
    refusals: ['px: WrongType'],
  },
  {
    name: 'further regions and types, the best first',
    terms: { regions: ['na'], provisionerTypes: ['docker'] },
    world: {
      pools: [
        aPool('na-docker', { location: 'na', provisionerType: 'docker' }),
        aPool('na-script', { location: 'na' }),
        aPool('eu-docker', { provisionerType: 'docker' }),
        aPool('eu-script'),
        aPool('apac', { location: 'apac' }),
      ],
      agents: ['na-docker', 'na-script', 'eu-docker', 'eu-script'].map((pool, n) =>
        someAgent(n + 1, { pool }),
      ),
    },
    firsts: ['node-4', 'node-3', 'node-2', 'node-1'],
    refusals: ['apac: WrongRegion'],
  },
  {
    name: 'the pool of the highest priority first',
    world: {
      pools: [aPool('low'), aPool('high', { priority: 10 }), aPool('least', { priority: -5 })],
      agents: ['low', 'high', 'least'].map((pool, n) => someAgent(n + 1, { pool })),
    },
    firsts: ['node-2', 'node-1', 'node-3'],
  },
  {
    name: 'a pool without agents, one that is paused, one that goes, and an agent whose pool is not there',
    world: {
      pools: [
        aPool('empty'),
        aPool('paused', { paused: true }),
        aGoingPool('going'),
        aGoingPool('going-and-empty'),
      ],
      agents: [
        someAgent(1, { pool: 'paused' }),
        someAgent(2, { pool: 'going', facts: { presence: 'Offline', load: loaded(32) } }),
        someAgent(3, { pool: 'gone' }),
      ],
    },
    firsts: [],
    refusals: [
      'empty: NoAgents',
      'node-1: PoolPaused',
      'node-2: PoolDeleting',
      'going-and-empty: PoolDeleting',
      'node-3: PoolNotFound',
    ],
  },
  {
    name: 'pools of other providers are none of its business',
    world: {
      pools: [{ ...aPool(), metadata: { name: 'europe-script', namespace: 'other' } }],
      agents: [someAgent(1)],
    },
    firsts: [],
    refusals: ['node-1: PoolNotFound'],
  },
];

const fallback = {
  pools: [
    aPool('first', {
      fallbackPools: [
        { name: 'later', afterSeconds: 120 },
        { name: 'last', afterSeconds: 60 },
      ],
    }),
    aPool('later', { provisionerType: 'hetzner' }),
    aPool('last', { provisionerType: 'docker' }),
  ],
  agents: ['last', 'later', 'first'].map((pool, n) => someAgent(n + 1, { pool })),
};
cases.push(
  {
    name: 'a fallback of another type joins after its delay',
    world: fallback,
    seconds: 60,
    firsts: ['node-3', 'node-1'],
    refusals: ['node-2: FallbackLater'],
  },
  {
    name: 'fallbacks come in the order of the list',
    world: fallback,
    seconds: 120,
    firsts: ['node-3', 'node-2', 'node-1'],
  },
  {
    name: 'a fallback in a region that was not sold is none',
    world: {
      pools: [
        aPool('first', { fallbackPools: [{ name: 'us', afterSeconds: 0 }] }),
        aPool('us', { location: 'na' }),
      ],
      agents: [someAgent(1, { pool: 'us' })],
    },
    firsts: [],
    refusals: ['first: NoAgents', 'us: WrongRegion'],
  },
  {
    name: 'a pool that serves by itself waits when one of higher priority names it',
    world: {
      pools: [
        aPool('first', { priority: 1, fallbackPools: [{ name: 'later', afterSeconds: 9 }] }),
        aPool('later'),
      ],
      agents: [someAgent(1, { pool: 'first' }), someAgent(2, { pool: 'later' })],
    },
    seconds: 8,
    firsts: ['node-1'],
    refusals: ['node-2: FallbackLater'],
  },
  {
    name: 'two of equal priority that name each other are peers',
    world: {
      pools: [
        aPool('a', { fallbackPools: [{ name: 'b', afterSeconds: 9 }] }),
        aPool('b', { fallbackPools: [{ name: 'a', afterSeconds: 9 }] }),
      ],
      agents: [someAgent(1, { pool: 'a' })],
    },
    firsts: ['node-1'],
    refusals: ['b: NoAgents'],
  },
  {
    name: 'of two pools that name one fallback the shorter delay counts, and of two fallbacks the earlier is first',
    world: {
      pools: [
        aPool('a', { fallbackPools: [{ name: 'later', afterSeconds: 60 }] }),
        aPool('b', {
          fallbackPools: [
            { name: 'soon', afterSeconds: 5 },
            { name: 'later', afterSeconds: 300 },
          ],
        }),
        aPool('later', { provisionerType: 'hetzner' }),
        aPool('soon', { provisionerType: 'docker' }),
      ],
      agents: [someAgent(1, { pool: 'later' }), someAgent(2, { pool: 'soon' })],
    },
    seconds: 60,
    firsts: ['node-2', 'node-1'],
  },
  {
    name: 'the explicit pool has fallbacks too',
    terms: { poolName: 'first' },
    world: fallback,
    seconds: 300,
    firsts: ['node-3', 'node-2', 'node-1'],
  },
  {
    name: 'of its own agents a fallback says what else is wrong with them',
    world: {
      ...fallback,
      agents: [someAgent(1, { pool: 'later', spec: { cordoned: true } }), someAgent(2, { pool: 'later' })],
    },
    firsts: [],
    refusals: ['first: NoAgents', 'node-1: AgentCordoned', 'node-2: FallbackLater', 'last: NoAgents'],
  },
);

describe('the way to a pool', () => {
  for (const { name, terms = {}, world, seconds = 0, ...want } of cases)
    test(name, () => {
      const placement = placeIn(world, asking(terms), { now: at(seconds) });
      expect(firsts(placement)).toEqual(want.firsts);
      if (want.refusals) expect(refusals(placement)).toEqual(want.refusals);
    });

  test('the delay counts from when a machine was first wanted, over all attempts', () => {
    const history = [
      { seq: 1, at: at(0).toISOString(), to: 'Accepted' as const, by: 'operator', reason: 'Free' },
      { seq: 2, at: at(5).toISOString(), to: 'Provisioning' as const, by: 'node-3', reason: 'Claimed' },
      { seq: 3, at: at(90).toISOString(), to: 'Accepted' as const, by: 'node-3', reason: 'AttemptFailed' },
    ];
    expect(firsts(placeIn(fallback, asking({}, { history }), { now: at(120) }))).toContain('node-2');
  });

  test('and anew when a machine was lost', () => {
    const history = [
      { seq: 1, at: at(-9000).toISOString(), to: 'Accepted' as const, by: 'operator', reason: 'Free' },
      { seq: 2, at: at(-8000).toISOString(), to: 'Active' as const, by: 'operator', reason: 'Verified' },
      { seq: 3, at: at(0).toISOString(), to: 'Accepted' as const, by: 'operator', reason: 'MachineLost' },
    ];
    const placement = placeIn(fallback, asking({}, { history }), { now: at(30) });
    expect(firsts(placement)).toEqual(['node-3']);
    expect(placement.againAtMs).toBe(at(60).getTime());
  });
});
