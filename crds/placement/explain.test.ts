import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, aPool, at, NOON, someTerms, uidOf } from '../contract/builders.ts';
import { ContractStatus } from '../contract/status.ts';
import { aGoingPool, loaded, placeIn, someAgent, type World } from './builders.ts';
import { explain, type SCHEDULING_REASONS } from './explain.ts';
import { whatHelps } from './helps.ts';
import { contracts, siblings, worlds } from './random-world.ts';
import { CAUSE_OF, PASSED_OVER_REASONS } from './reasons.ts';
import { providerView, tenantView } from './views.ts';

const large = aContract(
  'Accepted',
  {},
  { spec: { termsSnapshot: someTerms({ resources: { cpu: '16', memory: '64Gi', storage: '200Gi' } }) } },
);
const offline = (n: number) =>
  someAgent(n, {
    facts: { presence: 'Offline' },
    status: {
      conditions: [
        {
          type: 'Online',
          status: 'False',
          reason: 'HeartbeatLost',
          message: '',
          lastTransitionTime: at(-120).toISOString(),
        },
      ],
    },
  });
const scene: World = {
  pools: [
    aPool('europe-script', { fallbackPools: [{ name: 'europe-hetzner', afterSeconds: 420 }] }),
    aPool('europe-hetzner', { provisionerType: 'hetzner' }),
    aPool('us', { location: 'na' }),
  ],
  agents: [
    someAgent(1, { facts: { load: loaded(28) } }),
    someAgent(2, { facts: { load: loaded(1, { memory: '104Gi' }) } }),
    someAgent(3, {
      spec: { cordoned: true, cordonReason: 'disk swap', cordonedBy: 'ops@acme' },
      status: { cordonedSince: at(-90).toISOString() },
    }),
    offline(4),
    someAgent(5, {
      facts: {
        health: { failures: [1, 2, 3].map((n) => ({ contractUID: uidOf(n), at: at(-180).toISOString() })) },
      },
    }),
    someAgent(6, { pool: 'europe-hetzner' }),
  ],
};

describe('why it waits', () => {
  const found = explain(placeIn(scene, large, { now: at(0) }));

  test('the provider reads each agent, and what helps', () =>
    expect(found.message).toBe(
      [
        '0 of 6 agents can take 16 CPU, 64Gi memory, 200Gi disk in europe (script):',
        '  europe-script/node-3: cordoned by ops@acme since 11:58:30 UTC: "disk swap"',
        '  europe-script/node-4: offline since 11:58:00 UTC',
        '  europe-script/node-5: unhealthy: 3 contracts in a row failed, again from 12:12:00 UTC on',
        '  europe-script/node-1: full: 4 CPU free of 32 CPU',
        '  europe-script/node-2: full: 24Gi memory free of 128Gi memory',
        '  europe-hetzner/node-6: from 12:07:00 UTC on (fallback after 420 s)',
        '  us: in na, wanted is europe',
        'What helps: wait for the fallback at 12:07:00 UTC, uncordon node-3, or free 12 CPU on node-1.',
      ].join('\n'),
    ));

  test('the tenant reads the same without the names of the provider', () =>
    expect(found.tenantMessage).toBe(
      'No machine with 16 CPU, 64Gi memory, 200Gi disk is free in Europe right now. Next attempt elsewhere at ' +
        '12:07:00 UTC. You are not charged while you wait; cancel at any time.',
    ));

  test('in short', () => {
    expect(found).toMatchObject({
      schedulable: false,
      reason: 'NoEligibleAgent',
      againAtMs: at(420).getTime(),
    });
    expect(found.counts).toContainEqual({ reason: 'AgentCordoned', count: 1 });
    expect(found.counts.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  test('the tenant who asks for more gets each reason once', () => {
    const view = tenantView(placeIn(scene, large, { now: at(0) }));
    expect(view.reasons.map(({ reason }) => reason)).toEqual([
      'AgentCordoned',
      'AgentOffline',
      'BreakerOpen',
      'FallbackLater',
      'InsufficientCPU',
      'InsufficientMemory',
    ]);
    expect(view.againAt).toBe(at(420).toISOString());
  });

  test('the provider who asks for more gets who may claim when', () => {
    const view = providerView(placeIn(scene, large, { now: at(420) }), { waitingSinceMs: NOON.getTime() });
    expect(view.candidates).toEqual([
      { pool: 'europe-hetzner', agent: 'node-6', score: 50, mayClaimAt: at(420).toISOString() },
    ]);
    expect(view.passedOver).toContainEqual({
      pool: 'europe-script',
      agent: 'node-5',
      reason: 'BreakerOpen',
      message: 'unhealthy: 3 contracts in a row failed, again from 12:12:00 UTC on',
      whatHelps: 'wait for node-5 at 12:12:00 UTC',
      againAt: at(720).toISOString(),
    });
  });
});

const reasons: [string, World, ReturnType<typeof aContract>, (typeof SCHEDULING_REASONS)[number]][] = [
  ['somebody can take it', { agents: [someAgent(1)] }, large, 'AwaitingAgent'],
  [
    'somebody can, after a pause',
    { agents: [someAgent(1)] },
    aContract('Accepted', { nextAttemptAt: at(9).toISOString() }),
    'AwaitingRetry',
  ],
  [
    'only a fallback, later',
    { pools: scene.pools ?? [], agents: [someAgent(6, { pool: 'europe-hetzner' })] },
    large,
    'AwaitingFallback',
  ],
  [
    'no pool is of its region and type',
    { pools: [aPool('us', { location: 'na' })], agents: [someAgent(1, { pool: 'us' })] },
    large,
    'NoPool',
  ],
  ['there is no pool at all', { pools: [] }, large, 'NoPool'],
  ['the only pool is being deleted', { pools: [aGoingPool()], agents: [someAgent(1)] }, large, 'NoPool'],
  ['nobody has joined', {}, large, 'NoAgent'],
  ['who had joined was revoked', { agents: [someAgent(1, { spec: { revoked: true } })] }, large, 'NoAgent'],
  ['nobody is online', { agents: [offline(1), offline(2)] }, large, 'NoAgentOnline'],
  [
    'all that are online are full',
    { agents: [offline(1), someAgent(2, { facts: { load: loaded(20) } })] },
    large,
    'NoCapacity',
  ],
  [
    'all are too small',
    { agents: [someAgent(1, { status: { resources: { cpu: '8' } } })] },
    large,
    'NoMatchingAgent',
  ],
  ['one is cordoned', { agents: [someAgent(1, { spec: { cordoned: true } })] }, large, 'NoEligibleAgent'],
];
test.each(reasons)('%s', (_name, world, contract, reason) => {
  const found = explain(placeIn(world, contract, { now: at(0) }));
  expect(found.reason).toBe(reason);
  expect(found.schedulable).toBe(['AwaitingAgent', 'AwaitingRetry'].includes(reason));
});

test.each([
  [
    'capacity',
    'The machine that was to build it had no room after all, and another one is looked for. Next attempt at 12:00:09 UTC.',
  ],
  ['transient', 'The last try did not work. Next attempt at 12:00:09 UTC.'],
] as const)('the tenant is told what the last try ended with: %s', (kind, said) => {
  const ended = {
    agent: 'node-1',
    agentUID: uidOf(1),
    epoch: 1,
    message: 'x',
    startedAt: at(0).toISOString(),
    endedAt: at(0).toISOString(),
  };
  const attempts = [{ ...ended, outcome: kind === 'capacity' ? 'Released' : 'Failed', class: kind }] as const;
  const contract = aContract('Accepted', {
    nextAttemptAt: at(9).toISOString(),
    attempts: [...attempts],
  });
  const found = explain(placeIn({ agents: [someAgent(1), someAgent(2)] }, contract, { now: at(0) }));
  expect(found.tenantMessage).toBe(`${said} You are not charged while you wait; cancel at any time.`);
});

test('of a pool that is being deleted the truth is told, not that it may come back', () => {
  const found = explain(placeIn({ pools: [aGoingPool()], agents: [offline(1)] }, large, { now: at(0) }));
  expect(found.message).toBe(
    [
      '0 of 0 agents can take 16 CPU, 64Gi memory, 200Gi disk in europe (script):',
      '  europe-script/node-1: its pool is being deleted',
      'What helps: make another pool in place of europe-script.',
    ].join('\n'),
  );
  expect(found.tenantMessage).toBe(
    'What builds this in Europe is going out of service, and there is nothing else. ' +
      'You are not charged while you wait; cancel at any time.',
  );
});

test('a thousand agents are told in sixteen lines, at least one of each reason', () => {
  const [full, cordoned] = [{ facts: { load: loaded(32) } }, { spec: { cordoned: true } }];
  for (const [many, few] of [
    [full, cordoned],
    [cordoned, full],
  ]) {
    const agents = Array.from({ length: 1000 }, (_, n) => someAgent(n, n < 990 ? many : few));
    const found = explain(placeIn({ agents }, large, { now: at(0) }));
    expect(found.counts.map(({ count }) => count)).toEqual([990, 10]);
    expect(found.examples).toHaveLength(16);
    expect(found.examples.some((line) => line.includes('cordoned'))).toBe(true);
    expect(found.examples.some((line) => line.includes('full'))).toBe(true);
  }
});

test('what helps names the agent that lacks the least, and a day when it is not today', () => {
  const agents = [20, 17, 30].map((cpu, n) => someAgent(n + 1, { facts: { load: loaded(cpu) } }));
  const pools = [
    aPool('europe-script', { fallbackPools: [{ name: 'later', afterSeconds: 1800 }] }),
    aPool('later', { provisionerType: 'hetzner' }),
  ];
  const all = [...agents, someAgent(4, { pool: 'later' })];
  const late = at(42_000); // twenty to twelve
  const history = [
    { seq: 1, at: late.toISOString(), to: 'Accepted' as const, by: 'operator', reason: 'AwaitingAgent' },
  ];
  const contract = aContract(
    'Accepted',
    { history, provisionBy: at(45_600).toISOString() },
    { spec: large.spec },
  );
  expect(whatHelps(placeIn({ pools, agents: all }, contract, { now: late }))).toEqual([
    'wait for the fallback at 2026-01-02 00:10:00 UTC',
    'free 1 CPU on node-2',
  ]);
});

describe('whatever the market looks like', () => {
  const anywhere = fc.tuple(worlds, contracts, siblings);

  test('it fits into the status, and every one that was passed over is counted', () =>
    fc.assert(
      fc.property(anywhere, ([world, contract, others]) => {
        const placement = placeIn(world, contract, { now: NOON, siblings: others });
        const { counts, examples, message, reason, tenantMessage } = explain(placement);
        expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(placement.passedOver.length);
        const at_ = NOON.toISOString();
        const scheduling = { reason, counts: [...counts], examples: [...examples], at: at_ };
        const status = { ...contract.status, scheduling, message: tenantMessage };
        expect(ContractStatus.safeParse(status).error?.issues ?? []).toEqual([]);
        expect(message.length).toBeLessThanOrEqual(4096);
      }),
      { numRuns: 100 },
    ));

  test('a tenant never reads a name or a note of the provider', () =>
    fc.assert(
      fc.property(anywhere, ([world, contract, others]) => {
        const placement = placeIn(world, contract, { now: NOON, siblings: others });
        const read = JSON.stringify([explain(placement).tenantMessage, tenantView(placement)]);
        expect(read).not.toMatch(/node-|pool-|secret|undefined|NaN|\d{8}-/);
      }),
      { numRuns: 100 },
    ));

  test('a provider reads whole sentences', () =>
    fc.assert(
      fc.property(anywhere, ([world, contract, others]) => {
        const placement = placeIn(world, contract, { now: NOON, siblings: others });
        const view = providerView(placement, { waitingSinceMs: NOON.getTime() });
        expect(JSON.stringify([explain(placement).message, view])).not.toMatch(/undefined|NaN|\[object/);
      }),
      { numRuns: 100 },
    ));
});

test('every reason fits the list of the status', () => {
  expect(PASSED_OVER_REASONS.length).toBeLessThanOrEqual(32);
  expect(Object.keys(CAUSE_OF)).toHaveLength(PASSED_OVER_REASONS.length);
});
