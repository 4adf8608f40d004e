import { describe, expect, test } from 'vitest';
import { at, uidOf } from '../contract/builders.ts';
import { describeMissing, type ListingFacts, missingListings } from './who-must-list.ts';
import {
  dataOf,
  FIRST_WORLD,
  isNews,
  later,
  raised,
  resolved,
  type SignCode,
  type World,
  worldOf,
} from './world.ts';

const unclaimed = [{ contractUID: uidOf(7), epoch: 3, agentUID: uidOf(1), externalId: 'a name with blanks' }];
const resolving: World = raised(FIRST_WORLD, {
  sign: { because: 'EpochAhead', revealedBy: uidOf(1), generation: 0 },
  stored: 0,
  now: at(0),
});
const reread = (world: World, annotations: Record<string, string> = {}): World =>
  worldOf({ metadata: { annotations }, data: dataOf(world) });

test('what is written reads the same', () => {
  expect(reread(resolving)).toEqual(resolving);
  const normal = resolved(resolving, { unclaimed, now: at(60) });
  expect(reread(normal)).toEqual(normal);
  expect(normal).toMatchObject({
    generation: 1,
    phase: 'Normal',
    resolvedAt: at(60).toISOString(),
    unclaimed,
  });
});

test('without a ConfigMap nothing was ever restored; a damaged one is the safe side', () => {
  expect(worldOf(undefined)).toEqual(FIRST_WORLD);
  expect(worldOf({ metadata: {}, data: { generation: 'x', phase: 'y' } })).toMatchObject({
    generation: 0,
    phase: 'Resolving',
  });
});

test('a sign goes above everything that anybody knows', () => {
  const raise = (stored: number, generation = 0): number =>
    raised(resolving, { sign: { because: 'StoreAhead', generation }, stored, now: at(1) }).generation;
  expect([raise(0), raise(5), raise(0, 7)]).toEqual([2, 6, 8]);
});

test('evidence of an earlier generation is no news', () => {
  const news = (because: SignCode, generation: number): boolean => isNews(resolving, { because, generation });
  expect([news('EpochAhead', 0), news('EpochAhead', 1), news('WentBack', 0)]).toEqual([false, true, false]);
  expect([news('StoreAhead', 1), news('StoreAhead', 2), news('GenerationAhead', 1)]).toEqual([
    false,
    true,
    false,
  ]);
});

test('of two sights the higher generation counts, and within one Normal', () => {
  const normal = resolved(resolving, { unclaimed: [], now: at(1) });
  expect(later(FIRST_WORLD, resolving)).toBe(resolving);
  expect(later(normal, resolving)).toBe(normal);
  expect(later(resolving, normal)).toBe(normal);
  const again = { ...resolving, waitingFor: 'node-1' };
  expect(later(resolving, again)).toBe(again);
});

describe('the list of unclaimed machines', () => {
  const many = (agent: number, count: number, externalId = 'dc') =>
    Array.from({ length: count }, (_, n) => ({
      contractUID: uidOf(n),
      epoch: 1,
      agentUID: uidOf(agent),
      externalId,
    }));

  test('fits into its ConfigMap, and no agent fills it for the others', () => {
    const all = [1, 2, 3, 4, 5, 6].flatMap((agent) => many(agent, 4096, 'x'.repeat(256)));
    const { unclaimed: kept } = reread(resolved(resolving, { unclaimed: all, now: at(1) }));
    expect(kept.filter(({ agentUID }) => agentUID === uidOf(1))).toHaveLength(512);
    expect(kept.some(({ agentUID }) => agentUID === uidOf(2))).toBe(true);
    expect(JSON.stringify(dataOf({ ...resolving, unclaimed: kept })).length).toBeLessThan(1024 * 1024);
  });

  test('has no line that a name has smuggled in', () => {
    const smuggled = many(1, 1, `dc\n${uidOf(8)} 1 ${uidOf(9)} dc-9`);
    expect(reread(resolved(resolving, { unclaimed: smuggled, now: at(1) })).unclaimed).toEqual([]);
  });
});

describe('who must list', () => {
  const missing = (world: World, listed: readonly string[] = [], more: Partial<ListingFacts> = {}) =>
    missingListings({
      world,
      storeAgents: new Set([uidOf(2)]),
      heard: [{ uid: uidOf(3), name: 'p/agent-3' }],
      heardForMs: 300_000,
      isRevoked: () => false,
      waitedMs: 0,
      listed: new Set(listed),
      nameOf: (uid) => (uid === uidOf(2) ? undefined : `p/agent-${Number(uid.slice(-12))}`),
      ...more,
    }).map(({ name }) => name);

  test('who revealed it, whom PostgreSQL knows, and who was heard', () => {
    expect(missing(resolving)).toEqual(['p/agent-1', 'unknown', 'p/agent-3']);
    expect(missing(resolving, [uidOf(1), uidOf(3)])).toEqual(['unknown']);
  });

  test('who was merely heard only for some minutes, and nobody who was revoked', () => {
    expect(missing(resolving, [], { waitedMs: 300_001 })).toEqual(['p/agent-1', 'unknown']);
    expect(missing(resolving, [], { isRevoked: (uid) => uid === uidOf(1) })).toEqual([
      'unknown',
      'p/agent-3',
    ]);
  });

  test('a person goes on without one, by namespace and name or by UID', () => {
    expect(missing({ ...resolving, goOnWithout: ['agent-1', 'q/agent-3'] })).toHaveLength(3);
    expect(missing({ ...resolving, goOnWithout: ['p/agent-1', uidOf(2)] })).toEqual(['p/agent-3']);
    expect(reread(resolving, { 'dcmarket.io/go-on-without': 'agent-1, x' }).goOnWithout).toEqual([
      'agent-1',
      'x',
    ]);
  });

  test('a long list is cut', () => {
    const many = Array.from({ length: 12 }, (_, n) => ({ uid: uidOf(n), name: `agent-${n}` }));
    expect(describeMissing(many)).toMatch(/^the inventory of agent-0 .* and 2 more$/);
  });
});
