/** Ready is what placement does: one cannot say that an agent gets work and the other give it none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { aContract, aPool, at, NOON, someTerms } from '../../crds/contract/builders.ts';
import { aGoingPool, POOL, placeIn, someAgent, type World } from '../../crds/placement/builders.ts';
import { NO_LOAD } from '../../crds/placement/load.ts';
import { worlds } from '../../crds/placement/random-world.ts';
import type { PassedOverReason } from '../../crds/placement/reasons.ts';
import { decideAgent } from './decide.ts';

type Facts = NonNullable<World['agents']>[number];

const readyOf = ({ agent, presence, load, health }: Facts, { pools = [] }: World) => {
  const { conditions } = decideAgent({
    agent,
    lease: {
      renewTime: at(0).toISOString(),
      silentMs: presence === 'Offline' ? 60_000 : 0,
      left: false,
      duplicate: presence === 'Duplicate',
    },
    pool: pools.find(({ metadata }) => metadata.name === agent.spec.poolName),
    held: [],
    activeContracts: 0,
    work: { load, prepared: undefined, health },
    sinceLastWriteMs: Number.POSITIVE_INFINITY,
    now: NOON,
  }).status;
  return conditions?.find(({ type }) => type === 'Ready');
};

/** Why placement gives it none of a contract that asks for nothing but its pool, were all empty; undefined: it may. */
const refusalOf = ({ agent }: Facts, { agents = [], ...rest }: World): PassedOverReason | undefined => {
  const world: World = { ...rest, agents: agents.map((facts) => ({ ...facts, load: NO_LOAD })) };
  const pool = world.pools?.find(({ metadata }) => metadata.name === agent.spec.poolName);
  const { location: region = 'europe', provisionerType = 'script' } = pool?.spec ?? {};
  const resources = { cpu: '1m', memory: '1Mi', storage: '1Mi' };
  const termsSnapshot = someTerms({ poolName: agent.spec.poolName, region, provisionerType, resources });
  const { passedOver } = placeIn(world, aContract('Accepted', {}, { spec: { termsSnapshot } }), {
    now: NOON,
    siblings: [],
  });
  return passedOver.find((entry) => entry.agent === agent.metadata.name)?.because.reason;
};

test('whatever the market looks like, Ready is True of exactly those to whom placement gives work', () =>
  fc.assert(
    fc.property(worlds, (world) => {
      for (const facts of world.agents ?? []) {
        const refusal = refusalOf(facts, world);
        const ready = readyOf(facts, world);
        expect(`${ready?.status} ${ready?.reason} ${refusal}`).toMatch(
          refusal === undefined ? /^True/ : /^False/,
        );
      }
    }),
    { numRuns: 300 },
  ));

describe('in words', () => {
  const cases: [name: string, agent: Parameters<typeof someAgent>[1], pools: AgentPool[], want: object][] = [
    ['it gets work', {}, [aPool()], { status: 'True', message: 'It gets work' }],
    [
      'it builds something else',
      { status: { provisionerType: 'docker' } },
      [aPool()],
      {
        reason: 'AgentTypeMismatch',
        message: expect.stringMatching(/builds docker, its pool is for script/),
      },
    ],
    ['it may not', { spec: { permissions: ['heartbeat'] } }, [aPool()], { reason: 'MissingPermission' }],
    ['its pool is paused', {}, [aPool(POOL, { paused: true })], { reason: 'PoolPaused' }],
    ['its pool is being deleted', {}, [aGoingPool()], { reason: 'PoolDeleting' }],
    ['its pool is not there', {}, [], { reason: 'PoolNotFound' }],
    [
      'it is being deleted',
      { metadata: { deletionTimestamp: at(0).toISOString() } },
      [aPool()],
      { reason: 'Deleted' },
    ],
    [
      'it is too old',
      { status: { version: '1.0.0' } },
      [aPool(POOL, { minVersion: '1.1.0' })],
      { reason: 'VersionTooOld' },
    ],
    ['it is emptied', { spec: { cordoned: true, draining: true } }, [aPool()], { reason: 'Draining' }],
    [
      'it is cordoned, and offline',
      { spec: { cordoned: true }, facts: { presence: 'Offline' } },
      [aPool()],
      { reason: 'Offline' },
    ],
    [
      'its own maintenance',
      {
        spec: {
          maintenance: [{ startsAt: at(-1).toISOString(), endsAt: at(60).toISOString(), quietMinutes: 0 }],
        },
      },
      [aPool()],
      { reason: 'Maintenance', message: expect.stringMatching(/^Maintenance from /) },
    ],
  ];
  test.each(cases)('%s', (_name, change, pools, want) => {
    const facts = someAgent(1, change);
    expect(readyOf(facts, { pools, agents: [facts] })).toMatchObject({ status: 'False', ...want });
  });
});
