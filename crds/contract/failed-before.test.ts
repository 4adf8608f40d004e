/** Whom the next attempt passes over: the agent that failed, for a while or for good. */
import { describe, expect, test } from 'vitest';
import { NO_LOAD } from '../placement/load.ts';
import { prepareSupply } from '../placement/supply.ts';
import { aContract, anAgent, aPool, at, uidOf } from './builders.ts';
import { eligibility } from './eligibility.ts';
import { configurationRefusers, finalWordOf } from './failed-before.ts';
import type { Attempt, ContractStatus } from './status.ts';

/** Agent `n` failed in `epoch`, which ended at that many seconds. */
const failed = (n: number, epoch: number, change: Partial<Attempt> = {}): Attempt => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  epoch,
  startedAt: at(0).toISOString(),
  endedAt: at(epoch * 10).toISOString(),
  outcome: 'Failed',
  class: 'transient',
  ...change,
});
const after = (attempts: Attempt[], change: Partial<ContractStatus> = {}) =>
  aContract('Accepted', { epoch: attempts.length * 2, attempts, ...change });

type Asked = Readonly<{
  contract: ReturnType<typeof aContract>;
  /** Agents of the pool, all of them online unless said otherwise. */
  agents?: readonly ReturnType<typeof anAgent>[];
  online?: readonly number[];
  seconds?: number;
}>;
/** What agent 1 is answered. */
const asked = ({ contract, agents = [anAgent(1), anAgent(2)], online = [1, 2, 3], seconds = 20 }: Asked) =>
  eligibility(contract, {
    agentUID: uidOf(1),
    supply: prepareSupply({
      pools: [aPool()],
      agents: agents.map((agent) => ({
        agent,
        presence: online.some((n) => uidOf(n) === agent.metadata.uid)
          ? ('Online' as const)
          : ('Offline' as const),
        load: NO_LOAD,
      })),
    }),
    headStartMs: 0,
    now: at(seconds),
  });
const ask = (facts: Asked): string => {
  const verdict = asked(facts);
  return verdict.eligible ? 'Eligible' : verdict.reason;
};
const once = after([failed(1, 1)]);

const cases: { name: string; given: Asked; want: string }[] = [
  { name: 'its attempt failed and another could try', given: { contract: once }, want: 'AwaitsTurn' },
  { name: 'the head start of the others is over', given: { contract: once, seconds: 40 }, want: 'Eligible' },
  {
    name: 'the head start begins when the contract may be claimed at all',
    given: { contract: after([failed(1, 1)], { nextAttemptAt: at(60).toISOString() }), seconds: 89 },
    want: 'AwaitsTurn',
  },
  {
    name: 'and ends 30 seconds after',
    given: { contract: after([failed(1, 1)], { nextAttemptAt: at(60).toISOString() }), seconds: 90 },
    want: 'Eligible',
  },
  { name: 'it is alone', given: { contract: once, agents: [anAgent(1)] }, want: 'Eligible' },
  { name: 'the other is offline', given: { contract: once, online: [1] }, want: 'Eligible' },
  {
    name: 'the other is cordoned',
    given: { contract: once, agents: [anAgent(1), anAgent(2, { cordoned: true })] },
    want: 'Eligible',
  },
  {
    name: 'both have failed',
    given: { contract: after([failed(1, 1), failed(2, 2)]), seconds: 21 },
    want: 'Eligible',
  },
  { name: 'only the other has failed', given: { contract: after([failed(2, 1)]) }, want: 'Eligible' },
  {
    name: 'it had no room',
    given: { contract: after([failed(1, 1, { outcome: 'Released', class: 'capacity' })]) },
    want: 'AwaitsTurn',
  },
  {
    name: 'it only gave the contract back',
    given: { contract: after([failed(1, 1, { outcome: 'Released', class: undefined })]) },
    want: 'Eligible',
  },
  {
    name: 'its machine could not be reached',
    given: { contract: after([failed(1, 1, { outcome: 'VerificationFailed' })]) },
    want: 'AwaitsTurn',
  },
  {
    name: 'its lock ran out: it goes first, whatever it did before',
    given: {
      contract: after([failed(1, 1), failed(1, 4, { outcome: 'Expired' })], { epoch: 4 }),
      seconds: 41,
    },
    want: 'Eligible',
  },
  {
    name: 'its lock ran out and another has failed since',
    given: {
      contract: after([failed(1, 1, { outcome: 'Expired' }), failed(2, 2)]),
      agents: [anAgent(1), anAgent(2), anAgent(3)],
      seconds: 21,
    },
    want: 'AwaitsTurn',
  },
  {
    name: 'it said permanent',
    given: { contract: after([failed(1, 1, { class: 'permanent' })]), seconds: 3000 },
    want: 'FailedForGood',
  },
  {
    name: 'it said configuration, and is alone',
    given: {
      contract: after([failed(1, 1, { class: 'configuration' })]),
      agents: [anAgent(1)],
      seconds: 3000,
    },
    want: 'FailedForGood',
  },
  {
    name: 'another said permanent',
    given: { contract: after([failed(2, 1, { class: 'permanent' })]) },
    want: 'Eligible',
  },
  {
    name: 'it failed in an earlier round',
    given: { contract: after([failed(1, 1, { class: 'permanent' })], { attemptsFrom: 2 }) },
    want: 'Eligible',
  },
];

describe('may an agent that failed try again', () => {
  for (const { name, given, want } of cases) test(name, () => expect(ask(given)).toBe(want));

  test('says until when, so that a poll sleeps until then', () => {
    expect(asked({ contract: once })).toMatchObject({ until: at(40).toISOString() });
  });

  test('nobody waits for ever: whoever is not barred for good may claim half a minute after the last try', () => {
    const attempts = [failed(1, 1), failed(2, 2), failed(1, 3, { outcome: 'Expired' })];
    expect(ask({ contract: after(attempts), seconds: 60 })).toBe('Eligible');
  });
});

test('an agent that is barred is known by its word, and those who found the configuration wrong are counted once', () => {
  const { status } = after([
    failed(1, 1, { class: 'configuration' }),
    failed(1, 2, { class: 'configuration' }),
    failed(2, 3, { class: 'permanent' }),
  ]);
  expect(configurationRefusers(status)).toEqual([uidOf(1)]);
  expect(finalWordOf(status, uidOf(2))?.epoch).toBe(3);
  expect(finalWordOf(status, uidOf(3))).toBeUndefined();
});
