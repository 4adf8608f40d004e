import { describe, expect, test } from 'vitest';
import { aContract, anAgent, aPool, at, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { demandKeys, lookupKeys } from '../../crds/contract/eligibility.ts';
import { someAgent } from '../../crds/placement/builders.ts';
import { prepareSupply } from '../../crds/placement/supply.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createPlacements } from '../placement/placements.ts';
import { createQueues } from '../placement/queues.ts';
import { claimable } from './claimable.ts';

/** One agent, one pool, and what waits. */
function open() {
  const clock = fakeClock(at(60).toISOString());
  const pool = aPool();
  const supply = prepareSupply({ pools: [pool], agents: [someAgent(1)] });
  const prepared = supply.pools.get('acme')?.[0]?.agents[0];
  const view = {
    ...{ supply, version: 1, changesAtMs: Number.POSITIVE_INFINITY },
    agent: () => prepared,
    keysOf: () => lookupKeys(pool, [pool]),
  };
  const queues = createQueues();
  const known = new Map<string, Contract>();
  const caches = {
    contracts: {
      waiting: (key: string) => [...queues.under(key)].flatMap((uid) => known.get(uid) ?? []),
      queueVersion: queues.versionOf,
      resumableBy: () => [],
      companionsOf: () => [],
    },
  };
  const of = { of: () => view, heard: () => undefined };
  const placements = createPlacements({ supply: of, caches, clock });
  const deps = { supply: of, placements, headStartMs: 3_000, clock, caches };
  return {
    clock,
    put: (contract: Contract) => {
      known.set(contract.metadata.uid ?? '', contract);
      queues.put(contract, demandKeys(contract));
    },
    names: () => claimable(deps, { agent: anAgent(1), pool }).contracts.map(({ metadata }) => metadata.name),
  };
}

const order = (n: number, terms: Parameters<typeof someTerms>[0] = {}) =>
  aContract(
    'Accepted',
    {},
    {
      metadata: { name: `c-${n}`, uid: uidOf(1000 + n), creationTimestamp: at(n / 1000).toISOString() },
      spec: { termsSnapshot: someTerms(terms) },
    },
  );
const nobodys = (n: number) => order(n, { requirements: { capabilities: ['gpu'] } });

test('hundreds of orders that nobody can build hold up nobody behind them, though something changes all the time', () => {
  const { clock, put, names } = open();
  for (let n = 0; n < 600; n++) put(nobodys(n));
  put(order(600));
  const seen: string[] = [];
  for (let polls = 0; polls < 10 && seen.length === 0; polls++) {
    seen.push(...names());
    put(nobodys(1000 + polls)); // another one that nobody can build
    void clock.advance(200);
  }
  expect(seen).toEqual(['c-600']);
});

test('the oldest is seen at once, wherever the look has come to', () => {
  const { put, names } = open();
  for (let n = 1; n < 400; n++) put(nobodys(n));
  expect(names()).toEqual([]);
  put(order(0));
  expect(names()).toEqual(['c-0']);
});

test('what is not to be built with its settings is offered to nobody', () => {
  const { put, names } = open();
  const unfit = order(0, { instanceConfigSchema: { properties: { image: { const: 'debian' } } } });
  put({ ...unfit, spec: { ...unfit.spec, instanceConfig: { image: 'windows' } } });
  expect(names()).toEqual([]);
  put({ ...unfit, spec: { ...unfit.spec, instanceConfig: { image: 'debian' } } });
  expect(names()).toEqual(['c-0']);
});

describe('what the agent leaves', () => {
  /** Polls once a second until `wanted` is offered; whatever is offered is left. */
  const pollsUntil = async (
    { clock, names }: ReturnType<typeof open>,
    wanted: string,
  ): Promise<string[][]> => {
    const polls = [names()];
    while (!polls.at(-1)?.includes(wanted) && polls.length < 40) {
      await clock.advance(1000);
      polls.push(names());
    }
    return polls;
  };
  const many = (market: ReturnType<typeof open>, count: number) => {
    for (let n = 0; n < count; n++) market.put(order(n));
  };
  const OLDEST = Array.from({ length: 16 }, (_, n) => `c-${n}`);

  test.each([
    [17, 2],
    [49, 3],
    [300, 10],
    [900, 29],
  ])('holds up nobody behind it: the last of %i is offered in %i polls', async (count, polls) => {
    const market = open();
    many(market, count);
    const offered = await pollsUntil(market, `c-${count - 1}`);
    expect(offered).toHaveLength(polls);
    for (const names of offered) {
      expect(names.slice(0, 16)).toEqual(OLDEST);
      expect(names.length).toBeLessThanOrEqual(48);
    }
  });

  test('orders that nobody can build behind them hold up nobody either', async () => {
    const market = open();
    many(market, 16);
    for (let n = 16; n < 900; n++) market.put(nobodys(n));
    market.put(order(900));
    const offered = await pollsUntil(market, 'c-900');
    expect(offered.length).toBeLessThan(8);
    for (const names of offered) expect(names.slice(0, 16)).toEqual(OLDEST);
  });

  test('asked again at once, it is offered the same', () => {
    const market = open();
    many(market, 40);
    expect([market.names(), market.names()]).toEqual([OLDEST, OLDEST]);
  });

  test('and it is all offered anew after a while', async () => {
    const market = open();
    many(market, 100);
    await pollsUntil(market, 'c-99');
    await market.clock.advance(120_000);
    expect(market.names()).toEqual(OLDEST);
  });
});
