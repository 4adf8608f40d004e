import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentHealth } from '../agent.ts';
import { aContract, anAgent, at, NOON, uidOf } from '../contract/builders.ts';
import type { Attempt } from '../contract/status.ts';
import { healthOf, recordOf, standingAt } from './health.ts';
import { BREAKER_OPEN_MAX_MS, BREAKER_OPEN_MS, FAILURES_COST_MAX } from './numbers.ts';

const MINUTE = 60;
const failures = (...minutes: number[]): AgentHealth => ({
  failures: minutes.map((minute, n) => ({ contractUID: uidOf(n), at: at(minute * MINUTE).toISOString() })),
});
const breakerAt = (health: AgentHealth, minute: number) =>
  standingAt(recordOf(health), at(minute * MINUTE).getTime()).breaker;
const stateAt = (health: AgentHealth, minute: number) => breakerAt(health, minute).state;

describe('the breaker of an agent', () => {
  test('two contracts in a row that failed leave it closed, the third opens it', () => {
    expect(stateAt(failures(0, 1), 2)).toBe('Closed');
    expect(stateAt(failures(0, 1, 2), 2)).toBe('Open');
  });

  test('is half open a quarter of an hour after the last failure', () => {
    expect(breakerAt(failures(0, 1, 2), 3)).toEqual({
      state: 'Open',
      failures: 3,
      untilMs: at(17 * MINUTE).getTime(),
    });
    expect(stateAt(failures(0, 1, 2), 17)).toBe('HalfOpen');
  });

  test('the trial that fails doubles the time, up to two hours', () => {
    expect(stateAt(failures(0, 1, 2, 20), 20 + 29)).toBe('Open');
    expect(stateAt(failures(0, 1, 2, 20), 20 + 30)).toBe('HalfOpen');
    const many = failures(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(breakerAt(many, 9)).toMatchObject({
      untilMs: at(9 * MINUTE).getTime() + BREAKER_OPEN_MAX_MS,
    });
  });

  test('a success closes it', () =>
    expect(stateAt({ ...failures(0, 1, 2), lastSuccessAt: at(3 * MINUTE).toISOString() }, 4)).toBe('Closed'));

  test('one contract that fails again and again opens nothing', () => {
    const same = failures(0, 1, 2, 3).failures?.map((entry) => ({ ...entry, contractUID: uidOf(1) }));
    expect(stateAt({ failures: same }, 4)).toBe('Closed');
  });

  test("contracts of one tenant open nothing, however many fail: three tenants' do", () => {
    const tenant = (n: number) => `${n}`.padStart(16, '0');
    const of = (...tenants: number[]): AgentHealth => ({
      failures: failures(...tenants.keys()).failures?.map((entry, n) => ({
        ...entry,
        tenant: tenant(tenants[n] ?? 0),
      })),
    });
    expect(stateAt(of(1, 1, 1, 1, 1, 1), 6)).toBe('Closed');
    expect(stateAt(of(1, 2, 1, 2), 4)).toBe('Closed');
    expect(breakerAt(of(1, 1, 2, 3), 4)).toMatchObject({ state: 'Open', failures: 3 });
  });

  test('failures of another day are no part of a run', () =>
    expect(stateAt(failures(0, 1, 24 * 60 + 1), 24 * 60 + 2)).toBe('Closed'));
});

test('recent failures cost points, up to a limit, and are forgiven', () => {
  const cost = (minute: number, ...at_: number[]) =>
    standingAt(recordOf(failures(...at_)), at(minute * MINUTE).getTime()).cost;
  expect([cost(2, 0, 1), cost(30.5, 0, 1), cost(31, 0, 1)]).toEqual([30, 15, 0]);
  expect(cost(7, 0, 1, 2, 3, 4, 5, 6)).toBe(FAILURES_COST_MAX);
});

describe('what is a failure of the agent', () => {
  const attempt = (change: Partial<Attempt>): Attempt => ({
    agent: 'node-1',
    agentUID: uidOf(1),
    epoch: 1,
    startedAt: at(0).toISOString(),
    endedAt: at(60).toISOString(),
    outcome: 'Failed',
    ...change,
  });
  const cases: [string, Partial<Attempt>, boolean][] = [
    ['it failed', {}, true],
    ['it failed for a while only', { class: 'transient' }, true],
    ['it was not heard any more', { outcome: 'Expired' }, true],
    ['nobody could reach what it built', { outcome: 'VerificationFailed' }, true],
    ['it had no room', { class: 'capacity' }, false],
    ['it cannot be built as ordered', { class: 'configuration' }, false],
    ['it can never be built', { class: 'permanent' }, false],
    ['it gave the work back', { outcome: 'Released' }, false],
    ['it was another agent', { agentUID: uidOf(2) }, false],
    ['it was yesterday', { endedAt: at(60 - 24 * 3600).toISOString() }, false],
  ];
  test.each(cases)('%s', (_name, change, counts) => {
    const contract = aContract('Accepted', { attempts: [attempt(change)] });
    const health = healthOf(anAgent(1), { contracts: [contract], now: at(60) });
    expect(health.failures?.length ?? 0).toBe(counts ? 1 : 0);
  });

  test('of many the last sixteen are kept, oldest first, in whatever order the contracts come', () => {
    const contracts = Array.from({ length: 20 }, (_, n) =>
      aContract(
        'Accepted',
        { attempts: [attempt({ endedAt: at(n).toISOString() })] },
        { metadata: { uid: uidOf(n) } },
      ),
    );
    const health = healthOf(anAgent(1), { contracts: contracts.toReversed(), now: at(60) });
    const tenant = contracts[0]?.spec.tenant.publicKey.slice(0, 16);
    expect(health.failures).toEqual(
      contracts
        .slice(4)
        .map(({ metadata }, n) => ({ contractUID: metadata.uid, at: at(n + 4).toISOString(), tenant })),
    );
  });

  test('the last success is remembered beside it', () => {
    const attempts = [
      attempt({}),
      attempt({ epoch: 2, outcome: 'Succeeded', endedAt: at(90).toISOString() }),
    ];
    const contract = aContract('Active', { attempts });
    expect(healthOf(anAgent(1), { contracts: [contract], now: at(100) })).toEqual({
      lastSuccessAt: at(90).toISOString(),
      failures: [
        {
          contractUID: contract.metadata.uid,
          at: at(60).toISOString(),
          tenant: contract.spec.tenant.publicKey.slice(0, 16),
        },
      ],
    });
  });
});

test('nothing changes by time before it says so', () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -1600, max: 0 }), { maxLength: 10 }),
      fc.nat(),
      (minutes, later) => {
        const health = failures(...minutes.sort((a, b) => a - b));
        const nowMs = NOON.getTime();
        const record = recordOf(health);
        const now = standingAt(record, nowMs);
        const nextMs = now.changesAtMs ?? nowMs + 10 * BREAKER_OPEN_MS;
        const thenMs = nowMs + (later % (nextMs - nowMs));
        expect(nextMs).toBeGreaterThan(nowMs);
        expect({ ...standingAt(record, thenMs), changesAtMs: now.changesAtMs }).toEqual(now);
      },
    ),
  ));
