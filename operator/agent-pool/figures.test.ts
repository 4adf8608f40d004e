import { describe, expect, test } from 'vitest';
import { AgentPoolStatus } from '../../crds/agent-pool.ts';
import { aPool, at, uidOf } from '../../crds/contract/builders.ts';
import type { AgentFacts } from '../../crds/placement/agent-facts.ts';
import { loaded, someAgent } from '../../crds/placement/builders.ts';
import { preparePool } from '../../crds/placement/supply.ts';
import type { DailyRate } from '../supply/attempt-book.ts';
import { decidePool } from './decide.ts';

const MAINTENANCE = { startsAt: at(-60).toISOString(), endsAt: at(60).toISOString() };
const NONE: DailyRate = { succeeded: 0, failed: 0, untilMs: undefined };
type Rates = Readonly<Record<string, DailyRate>>;

const look = (agents: readonly AgentFacts[], { rates = {} }: Readonly<{ rates?: Rates }> = {}) => {
  const pool = aPool();
  const decision = decidePool({
    pool,
    agents: agents.map(({ agent }) => agent),
    activeContracts: 0,
    waitingContracts: 0,
    work: { agents: preparePool(pool, agents).agents, rateOf: (uid) => rates[uid] ?? NONE },
    sinceLastWriteMs: Number.POSITIVE_INFINITY,
    now: at(0),
  });
  expect(AgentPoolStatus.safeParse(decision.status).error).toBeUndefined();
  return decision;
};

describe('what is free in a pool', () => {
  const away: [string, AgentFacts][] = [
    ['offline', someAgent(9, { facts: { presence: 'Offline' } })],
    ['cordoned', someAgent(9, { spec: { cordoned: true } })],
    ['draining', someAgent(9, { spec: { draining: true } })],
    ['revoked', someAgent(9, { spec: { revoked: true } })],
    ['in maintenance', someAgent(9, { spec: { maintenance: [{ ...MAINTENANCE, quietMinutes: 15 }] } })],
    [
      'given time after failures',
      someAgent(9, {
        facts: {
          health: { failures: [1, 2, 3].map((n) => ({ contractUID: uidOf(n), at: at(-n).toISOString() })) },
        },
      }),
    ],
  ];
  const two = [
    someAgent(1, { facts: { load: loaded(2, { memory: '4Gi' }) } }),
    someAgent(2, { facts: { load: loaded(1) } }),
  ];

  test('is the sum over its agents', () =>
    expect(look(two).status).toMatchObject({
      allocated: { cpu: '3', memory: '4Gi', instances: 2 },
      free: { cpu: '61', memory: '252Gi', storage: '2000Gi' },
      freeText: { cpu: '61', memory: '252Gi' },
    }));
  test.each(away)('without the one that is %s', (_name, agent) =>
    expect(look([...two, agent]).status.freeText).toEqual({ cpu: '61', memory: '252Gi' }),
  );
  test('is not known where no agent says how large it is; nothing is zero, not unknown', () => {
    expect(look([someAgent(1, { status: { resources: undefined } })]).status).toMatchObject({
      free: {},
      freeText: { cpu: '-', memory: '-' },
    });
    expect(look([someAgent(1, { facts: { load: loaded(32) } })]).status.freeText?.cpu).toBe('0');
  });
});

describe('the success rate of the last day', () => {
  const rates = (...counts: [number, number][]): Rates =>
    Object.fromEntries(
      counts.map(([succeeded, failed], n) => [uidOf(n + 1), { succeeded, failed, untilMs: undefined }]),
    );
  test('is over all of its agents, and never rounded up to 100%', () => {
    const { status } = look([someAgent(1), someAgent(2)], { rates: rates([70, 1], [7, 0]) });
    expect(status).toMatchObject({ attempts24h: { succeeded: 77, failed: 1 }, successText24h: '98.7%' });
    expect(look([someAgent(1)], { rates: rates([9999, 1]) }).status.successText24h).toBe('99.9%');
  });
  test('is a dash when nothing was tried', () =>
    expect(look([someAgent(1)]).status.successText24h).toBe('-'));
  test('is looked at again when the oldest attempt is a day old, but not every second', () => {
    const again = (untilMs: number) =>
      look([someAgent(1)], { rates: { [uidOf(1)]: { succeeded: 1, failed: 0, untilMs } } }).requeueAfterMs;
    expect(again(at(3600).getTime())).toBe(3_600_000);
    expect(again(at(1).getTime())).toBe(60_000);
  });
});
