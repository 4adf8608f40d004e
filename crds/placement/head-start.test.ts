import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aPool, at, NOON, uidOf } from '../contract/builders.ts';
import { failedAttempt, loaded, placeIn, someAgent } from './builders.ts';
import { mayClaimAt } from './head-start.ts';
import { HEAD_START_MS } from './numbers.ts';
import { waitingSinceMs } from './waiting.ts';

const since = NOON.getTime();
/** After how many seconds each agent may claim, in the order of the agents. */
const waits = (placement: ReturnType<typeof placeIn>, agents: number): (number | undefined)[] =>
  Array.from({ length: agents }, (_, n) => {
    const ms = mayClaimAt(placement, { agentUID: uidOf(n + 1), waitingSinceMs: since });
    return ms === undefined ? undefined : (ms - since) / 1000;
  });
const fuller = (n: number, pool = 'europe-script') => someAgent(n, { pool, facts: { load: loaded(n) } });
const step = HEAD_START_MS / 1000;

describe('who may claim when', () => {
  test('the first at once, then the second, then two more, then four', () => {
    const agents = Array.from({ length: 9 }, (_, n) => fuller(n + 1));
    const placement = placeIn({ agents }, aContract(), { now: at(0) });
    expect(waits(placement, 9)).toEqual([0, 1, 2, 2, 3, 3, 3, 3, 4].map((n) => n * step));
  });

  test('who is passed over may not', () => {
    const placement = placeIn({ agents: [someAgent(1, { spec: { cordoned: true } })] }, aContract(), {
      now: at(0),
    });
    expect(waits(placement, 2)).toEqual([undefined, undefined]);
  });

  test('nobody before the pause after a failure is over', () => {
    const contract = aContract('Accepted', { nextAttemptAt: at(60).toISOString() });
    const placement = placeIn({ agents: [fuller(1), fuller(2)] }, contract, { now: at(0) });
    expect(waits(placement, 2)).toEqual([60, 60 + step]);
    expect(placement.againAtMs).toBe(at(60).getTime());
  });

  test('after an expiry its holder at once, the others from the end of its time', () => {
    const contract = aContract('Accepted', {
      epoch: 1,
      holders: [aHolder(3, 1)],
      attempts: [{ ...failedAttempt(3, 1, at(0)), outcome: 'Expired' }],
    });
    const agents = [fuller(1), fuller(2), fuller(3)];
    const placement = placeIn({ agents }, contract, { now: at(1) });
    expect(waits(placement, 3)).toEqual([30, 30 + step, 0]);
    expect(placement.againAtMs).toBe(at(30).getTime());
  });

  test('after an expiry anybody at once when its holder is not there', () => {
    const contract = aContract('Accepted', {
      epoch: 1,
      holders: [aHolder(3, 1)],
      attempts: [{ ...failedAttempt(3, 1, at(0)), outcome: 'Expired' }],
    });
    const agents = [fuller(1), fuller(2), someAgent(3, { facts: { presence: 'Offline' } })];
    expect(waits(placeIn({ agents }, contract, { now: at(1) }), 3)).toEqual([0, step, undefined]);
  });

  test('who failed it lets those go first that have not, for their time', () => {
    const contract = aContract('Accepted', {
      epoch: 2,
      attempts: [failedAttempt(1, 1, at(-60))],
      nextAttemptAt: at(10).toISOString(),
    });
    const placement = placeIn({ agents: [fuller(1), fuller(2), fuller(3)] }, contract, { now: at(0) });
    expect(waits(placement, 3)).toEqual([40, 10, 10 + step]);
    const alone = placeIn({ agents: [fuller(1)] }, contract, { now: at(0) });
    expect(waits(alone, 1)).toEqual([10]);
  });

  test('a fallback pool has turns of its own from the instant that it opens', () => {
    const pools = [
      aPool('europe-script', { fallbackPools: [{ name: 'later', afterSeconds: 120 }] }),
      aPool('later', { provisionerType: 'hetzner' }),
    ];
    const agents = [fuller(1), fuller(2), fuller(3, 'later'), fuller(4, 'later')];
    expect(waits(placeIn({ pools, agents }, aContract(), { now: at(120) }), 4)).toEqual([
      0,
      step,
      120,
      120 + step,
    ]);
  });
});

test('nobody waits longer than a head start for each doubling, and no two first choices', () =>
  fc.assert(
    fc.property(fc.array(fc.nat(31), { minLength: 1, maxLength: 200 }), (loads) => {
      const agents = loads.map((cpu, n) => someAgent(n + 1, { facts: { load: loaded(cpu) } }));
      const at0 = waits(placeIn({ agents }, aContract(), { now: at(0) }), agents.length);
      expect(at0.filter((wait) => wait === 0)).toHaveLength(1);
      expect(Math.max(...at0.map((wait) => wait ?? Number.NaN))).toBeLessThanOrEqual(
        step * Math.ceil(Math.log2(agents.length + 1)),
      );
    }),
    { numRuns: 50 },
  ));

describe('since when it waits', () => {
  test('since it came back to Accepted, and its pause is over', () => {
    const history = [
      { seq: 1, at: at(-90).toISOString(), to: 'Accepted' as const, by: 'operator', reason: 'Free' },
      { seq: 2, at: at(-10).toISOString(), to: 'Accepted' as const, by: 'node-1', reason: 'AttemptFailed' },
    ];
    expect(waitingSinceMs(aContract('Accepted', { history }))).toBe(at(-10).getTime());
    const paused = aContract('Accepted', { history, nextAttemptAt: at(50).toISOString() });
    expect(waitingSinceMs(paused)).toBe(at(50).getTime());
  });

  test('since it was made, without a history', () => expect(waitingSinceMs(aContract())).toBe(since));
});
