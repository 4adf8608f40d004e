import { describe, expect, test } from 'vitest';
import { anAgent, aPool } from '../../crds/contract/builders.ts';
import { NO_WORK } from './builders.ts';
import { type AgentLook, decideAgent } from './decide.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const FRESH = { renewTime: NOW.toISOString(), silentMs: 0, left: false, duplicate: false };
const facts = (change: Partial<AgentLook> = {}): AgentLook => ({
  agent: anAgent(1),
  lease: { renewTime: '2026-01-01T11:59:50.000000Z', silentMs: 10_000, left: false, duplicate: false },
  pool: aPool(),
  held: [],
  activeContracts: 0,
  work: NO_WORK,
  sinceLastWriteMs: Number.POSITIVE_INFINITY,
  now: NOW,
  ...change,
});
const said = (change: Partial<AgentLook>) =>
  Object.fromEntries(
    (decideAgent(facts(change)).status.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}`]),
  );

const cases: { name: string; given: Partial<AgentLook>; want: object }[] = [
  {
    name: 'a fresh heartbeat',
    given: {},
    want: {
      Online: 'True HeartbeatFresh',
      Ready: 'True Ready',
      Unique: 'True OneProcess',
      Clean: 'True NoOrphans',
    },
  },
  {
    name: 'never seen',
    given: { lease: undefined },
    want: { Online: 'False NeverSeen', Ready: 'False Offline' },
  },
  {
    name: 'silent for 45 s',
    given: { lease: { renewTime: NOW.toISOString(), silentMs: 45_000, left: false, duplicate: false } },
    want: { Online: 'False HeartbeatLost' },
  },
  {
    name: 'stopped in an orderly way',
    given: { lease: { renewTime: NOW.toISOString(), silentMs: 0, left: true, duplicate: false } },
    want: { Online: 'False Stopped' },
  },
  {
    name: 'cordoned',
    given: { agent: anAgent(1, { cordoned: true, cordonReason: 'disk swap' }) },
    want: { Online: 'True HeartbeatFresh', Ready: 'False Cordoned' },
  },
  { name: 'revoked', given: { agent: anAgent(1, { revoked: true }) }, want: { Ready: 'False Revoked' } },
  {
    name: 'two processes with one key',
    given: { lease: { renewTime: NOW.toISOString(), silentMs: 0, left: false, duplicate: true } },
    want: { Ready: 'False DuplicateAgent', Unique: 'False DuplicateAgent' },
  },
  {
    name: 'another process with its key, refused a moment ago: it goes on',
    given: { lease: { ...FRESH, cloneSilentMs: 179_999 } },
    want: { Unique: 'False DuplicateAgent', Ready: 'True Ready' },
  },
  {
    name: 'another process with its key, not heard for three minutes',
    given: { lease: { ...FRESH, cloneSilentMs: 180_000 } },
    want: { Unique: 'True OneProcess' },
  },
  {
    name: 'machines of no contract',
    given: { agent: { ...anAgent(1), status: { orphans: { count: 3, stopped: 2, waiting: 1 } } } },
    want: { Clean: 'False OrphanInstances', Ready: 'True Ready' },
  },
  { name: 'without its pool', given: { pool: undefined }, want: { Ready: 'False PoolNotFound' } },
];
describe('an agent', () => {
  for (const { name, given, want } of cases) test(name, () => expect(said(given)).toMatchObject(want));

  test('looks again when its heartbeat would be too old', () =>
    expect(decideAgent(facts()).requeueAfterMs).toBe(35_000));

  test('looks again when a clone of it was silent long enough', () =>
    expect(decideAgent(facts({ lease: { ...FRESH, cloneSilentMs: 170_000 } })).requeueAfterMs).toBe(10_000));

  test('is written again for figures alone only after ten seconds, and for a flip at once', () => {
    const { status } = decideAgent(facts());
    const known = { ...anAgent(1), status };
    expect(decideAgent(facts({ agent: known, activeContracts: 3, sinceLastWriteMs: 4_000 }))).toEqual({
      status,
      requeueAfterMs: 6_000,
    });
    expect(
      decideAgent(facts({ agent: known, activeContracts: 3, sinceLastWriteMs: 10_000 })).status
        .activeContracts,
    ).toBe(3);
    expect(decideAgent(facts({ agent: known, lease: undefined, sinceLastWriteMs: 0 })).status).not.toEqual(
      status,
    );
  });

  test('the order in which the API server answers the members of a condition is no news', () => {
    const { status } = decideAgent(facts());
    const conditions = status.conditions?.map(({ type, status, reason, message, lastTransitionTime }) => ({
      lastTransitionTime,
      message,
      reason,
      status,
      type,
    }));
    const known = { ...anAgent(1), status: { ...status, conditions } };
    expect(
      decideAgent(facts({ agent: known, activeContracts: 3, sinceLastWriteMs: 4_000 })).requeueAfterMs,
    ).toBe(6_000);
  });

  test('lastSeenAt moves every five minutes, not with every heartbeat', () => {
    const { status } = decideAgent(facts());
    const lease = (renewTime: string) => ({ renewTime, silentMs: 0, left: false, duplicate: false });
    const known = { ...anAgent(1), status };
    expect(decideAgent(facts({ agent: known, lease: lease('2026-01-01T12:04:00.000Z') })).status).toEqual(
      status,
    );
    expect(
      decideAgent(facts({ agent: known, lease: lease('2026-01-01T12:04:50.000Z') })).status.lastSeenAt,
    ).toBe('2026-01-01T12:04:50.000Z');
  });
});

test('since when it is cordoned is kept while it is, and not longer', () => {
  const since = (cordoned: boolean, cordonedSince?: string) =>
    decideAgent(
      facts({ agent: { ...anAgent(1, { cordoned }), status: cordonedSince ? { cordonedSince } : {} } }),
    ).status.cordonedSince;
  const earlier = '2026-01-01T11:00:00.000Z';
  expect([since(true), since(true, earlier), since(false, earlier)]).toEqual([
    NOW.toISOString(),
    earlier,
    undefined,
  ]);
});
