import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentPool } from '../agent-pool.ts';
import { aContract, anOffering, aPool, at } from '../contract/builders.ts';
import { aGoingPool, firsts, placeIn, refusals, someAgent } from './builders.ts';
import { judgeFallbacks } from './fallbacks.ts';

/** Each after 120 s. */
const naming = (name: string, others: readonly string[], spec: Partial<AgentPool['spec']> = {}): AgentPool =>
  aPool(name, { fallbackPools: others.map((other) => ({ name: other, afterSeconds: 120 })), ...spec });

/** Names of the pools that are asked at once; each has one agent. */
function atOnce(pools: readonly AgentPool[]): string[] {
  const agents = pools.map(({ metadata }, n) => someAgent(n, { pool: metadata.name }));
  const { candidates } = placeIn({ pools, agents }, aContract(), { now: at(0) });
  return candidates.map(({ pool }) => pool).sort();
}

describe('of pools that could all build it, those are asked at once', () => {
  const cases: [string, AgentPool[], string[]][] = [
    ['that nobody names, whatever the others name', [naming('a', ['b']), aPool('b')], ['a']],
    ['one after the other in a row', [naming('a', ['b']), naming('b', ['c']), aPool('c')], ['a']],
    ['that name each other', [naming('a', ['b']), naming('b', ['a'])], ['a', 'b']],
    [
      'that name each other through others',
      [naming('a', ['b']), naming('b', ['c']), naming('c', ['a', 'd']), aPool('d')],
      ['a', 'b', 'c'],
    ],
    ['of the higher priority', [naming('a', ['b']), aPool('b', { priority: 1 })], ['a', 'b']],
    [
      'not through one of another priority',
      [naming('a', ['b']), naming('b', ['c']), naming('c', ['a'], { priority: -1 })],
      ['a'],
    ],
  ];
  test.each(cases)('%s', (_name, pools, want) => expect(atOnce(pools)).toEqual(want));

  test('and the others when their delay is over', () => {
    const world = { pools: [naming('a', ['b']), aPool('b')], agents: [someAgent(1, { pool: 'b' })] };
    expect(refusals(placeIn(world, aContract(), { now: at(119) }))).toContain('node-1: FallbackLater');
    expect(firsts(placeIn(world, aContract(), { now: at(120) }))).toEqual(['node-1']);
  });

  test('at least one of them, whoever names whom', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const pools = fc.tuple(
      ...names.map((name) =>
        fc
          .record({
            others: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
            priority: fc.integer({ min: 0, max: 1 }),
            location: fc.constantFrom('europe', 'europe', 'na'),
          })
          .map(({ others, ...spec }) => naming(name, others, spec)),
      ),
    );
    fc.assert(
      fc.property(pools, (some) => {
        fc.pre(some.some(({ spec }) => spec.location === 'europe'));
        expect(atOnce(some)).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the provider is told of each', () => {
  const pools = [
    aPool('later'),
    aPool('docker', { provisionerType: 'docker' }),
    aPool('more', { priority: 7 }),
    naming('peer', ['first']),
    aPool('us', { location: 'na' }),
    aGoingPool('going'),
  ];
  const judge = (others: string[], offerings = [anOffering()]) => {
    const first = naming('first', others);
    const byName = new Map([first, ...pools].map((pool) => [pool.metadata.name, pool]));
    return judgeFallbacks(first, { pools: byName, offerings }).map(({ asked, message }) => [asked, message]);
  };

  test.each([
    ['later', 'Later', 'later is asked after 120 s'],
    ['docker', 'Later', 'docker is asked after 120 s'],
    [
      'more',
      'AtOnce',
      'more is asked at once where it may build the same by itself, since its priority 7 is higher than 0 here; else after 120 s',
    ],
    [
      'peer',
      'AtOnce',
      'peer is asked at once where it may build the same by itself, since the two name each other and have the same priority; else after 120 s',
    ],
    ['gone', 'Never', 'gone is never asked: there is no such pool'],
    ['first', 'Never', 'first is never asked: it is this pool itself'],
    ['going', 'Never', 'going is never asked: it is being deleted'],
    ['us', 'Never', 'us is never asked: it is in na, and nothing that is built here is sold there'],
  ])('%s: %s', (name, asked, message) => expect(judge([name])).toEqual([[asked, message]]));

  test('in another region it is asked where an offering is sold there as well', () => {
    expect(judge(['us'], [anOffering(), anOffering({ regions: ['na'] })])).toEqual([
      ['Later', 'us is asked after 120 s'],
    ]);
    const elsewhere = anOffering({ country: 'US', poolName: 'first' });
    expect(judge(['us'], [elsewhere])).toEqual([['Later', 'us is asked after 120 s']]);
  });

  test('nobody is at once what only one of the two may build', () =>
    expect(judge(['more'], [anOffering({ poolName: 'first' })])).toEqual([
      ['Later', 'more is asked after 120 s'],
    ]));
});
