import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Capacity } from '../capacity.ts';
import { aPool, NOON, uidOf } from '../contract/builders.ts';
import { ATTEMPT_CLASSES, type Attempt } from '../contract/status.ts';
import { numberOf } from './amounts.ts';
import { loaded, someAgent } from './builders.ts';
import { freeIn, freeOf, presentAmounts, promisedIn, rateOf, rateText, tableText } from './figures.ts';
import { preparePool } from './supply.ts';

const GIB = 2 ** 30;
const sizes = { cpuMilli: 0, memoryBytes: 0, storageBytes: 0, gpus: 0, instances: 0 };

describe('amounts in a status', () => {
  test('are quantities; what has no end, and GPUs that nobody has, are left out', () => {
    const open = {
      ...sizes,
      cpuMilli: 4500,
      memoryBytes: 24 * GIB,
      storageBytes: Infinity,
      instances: Infinity,
    };
    expect(presentAmounts(open)).toEqual({ cpu: '4.5', memory: '24Gi' });
    expect(presentAmounts({ ...sizes, gpus: 2, memoryBytes: 1.5 * GIB })).toEqual({
      ...{ cpu: '0', memory: '1536Mi', storage: '0Gi', gpu: 2, instances: 0 },
    });
  });
  test('are legal, and never say more than there is', () =>
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.bigInt({ min: 0n, max: 2n ** 50n }), (cpuMilli, bytes) => {
        const shown = presentAmounts({ ...sizes, cpuMilli, memoryBytes: Number(bytes) });
        expect(Capacity.safeParse(shown).error).toBeUndefined();
        expect(Math.round(numberOf(shown.cpu ?? '') * 1000)).toBe(cpuMilli);
        expect(numberOf(shown.memory ?? '')).toBeLessThanOrEqual(Number(bytes));
        expect(numberOf(shown.memory ?? '')).toBeGreaterThan(Number(bytes) - 2 ** 20);
      }),
    ));
  test('in a table are rounded down to a tenth, and a dash where nobody says how much there is', () => {
    expect(tableText({ ...sizes, cpuMilli: 71_990, memoryBytes: 212.57 * GIB })).toEqual({
      ...{ cpu: '71.9', memory: '212.5Gi' },
    });
    expect(tableText({ ...sizes, cpuMilli: Infinity, memoryBytes: 0 })).toEqual({ cpu: '-', memory: '0' });
  });
});

test('what is promised and what is free make up what there is, in a pool as in each agent', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 32 }), { maxLength: 20 }), (used) => {
      const agents = used.map((cpu, n) => someAgent(n + 1, { facts: { load: loaded(cpu) } }));
      const pool = preparePool(aPool(), agents);
      const each = pool.agents.map((agent) => freeOf(agent).cpuMilli + agent.load.used.cpuMilli);
      expect(each.every((sum) => sum === 32_000)).toBe(true);
      const free = freeIn(pool, NOON).cpuMilli;
      if (used.length > 0) expect(free + promisedIn(pool).cpuMilli).toBe(32_000 * used.length);
    }),
  ));

describe('a success rate', () => {
  const attempt = (outcome: Attempt['outcome'], kind?: Attempt['class']): Attempt => ({
    ...{ agent: 'node-1', agentUID: uidOf(1), epoch: 1, outcome },
    ...{ startedAt: NOON.toISOString(), endedAt: NOON.toISOString() },
    ...(kind ? { class: kind } : {}),
  });
  test('counts what the agent could do something about', () => {
    const failures = ATTEMPT_CLASSES.map((kind) => attempt('Failed', kind));
    const others = (['Succeeded', 'Expired', 'VerificationFailed', 'Released'] as const).map((it) =>
      attempt(it),
    );
    expect(rateOf([...failures, ...others])).toEqual({ succeeded: 1, failed: 3 });
  });
  test.each([
    [0, 0, '-'],
    [5, 0, '100%'],
    [0, 3, '0%'],
    [9999, 1, '99.9%'],
    [77, 1, '98.7%'],
  ])('of %d and %d is %s', (succeeded, failed, text) => expect(rateText({ succeeded, failed })).toBe(text));
});
