import { describe, expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import {
  aContract,
  aHolder,
  anAgent,
  aPool,
  at,
  NOON,
  someTerms,
  uidOf,
} from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { NO_WORK } from './builders.ts';
import { decideAgent } from './decide.ts';
import { type PlanFacts, plansFor } from './plans.ts';

const anAgentOf = (version: string | undefined, spec: Partial<Agent['spec']> = {}): Agent => ({
  ...anAgent(1, spec),
  status: version === undefined ? {} : { version },
});
const facts = (change: Partial<PlanFacts> = {}): PlanFacts => ({
  agent: anAgentOf('1.0.0'),
  pool: aPool(),
  held: [],
  now: NOON,
  ...change,
});
const window = (from: number, until: number) => ({
  startsAt: at(from).toISOString(),
  endsAt: at(until).toISOString(),
  quietMinutes: 15,
  reason: 'disk swap',
});
const running = (name: string, allowRecreation: boolean): Contract => {
  const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'vm-1' };
  const contract = aContract(
    'Active',
    { epoch: 1, holders: [aHolder(1, 1)], instance },
    { spec: { termsSnapshot: someTerms({ allowRecreation }) } },
  );
  return { ...contract, metadata: { ...contract.metadata, name } };
};
const gist = (change: Partial<PlanFacts>) => {
  const { conditions, againInMs } = plansFor(facts(change));
  return {
    said: conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    againInMs,
  };
};

type Case = { name: string; given: Partial<PlanFacts>; want: ReturnType<typeof gist> };
const cases: Case[] = [
  { name: 'nothing', given: {}, want: { said: [], againInMs: undefined } },
  {
    name: 'maintenance that is on',
    given: { agent: anAgentOf('1.0.0', { maintenance: [window(-60, 3600)] }) },
    want: { said: ['InService False Maintenance'], againInMs: 3_600_000 },
  },
  {
    name: 'maintenance of its pool, in an hour: closed from a quarter before on',
    given: { pool: aPool('europe-script', { maintenance: [window(3600, 7200)] }) },
    want: { said: ['InService True MaintenancePlanned'], againInMs: 2_700_000 },
  },
  {
    name: 'maintenance that is over',
    given: { agent: anAgentOf('1.0.0', { maintenance: [window(-60, 0)] }) },
    want: { said: [], againInMs: undefined },
  },
  {
    name: 'below the floor of its pool',
    given: { pool: aPool('europe-script', { minVersion: '1.0.1' }) },
    want: { said: ['UpToDate False VersionTooOld'], againInMs: undefined },
  },
  {
    name: 'to be upgraded later',
    given: {
      pool: aPool('europe-script', { upgrade: { toVersion: '1.1.0', notBefore: at(60).toISOString() } }),
    },
    want: { said: ['UpToDate False UpgradePlanned'], againInMs: 60_000 },
  },
  {
    name: 'to be upgraded now: it goes on working',
    given: { pool: aPool('europe-script', { upgrade: { toVersion: '1.1.0' } }) },
    want: { said: ['UpToDate False UpgradeAnnounced'], againInMs: undefined },
  },
  {
    name: 'upgraded',
    given: { agent: anAgentOf('1.1.0'), pool: aPool('europe-script', { upgrade: { toVersion: '1.1.0' } }) },
    want: { said: ['UpToDate True NoUpgrade'], againInMs: undefined },
  },
  {
    name: 'a drain with a deadline',
    given: {
      agent: anAgentOf('1.0.0', { draining: true, drainBy: at(60).toISOString() }),
      held: [running('a', true)],
    },
    want: { said: ['Drained False ContractsRemain'], againInMs: 60_000 },
  },
  {
    name: 'a drain that is done',
    given: { agent: anAgentOf('1.0.0', { draining: true }) },
    want: { said: ['Drained True Empty'], againInMs: undefined },
  },
];
describe('what is planned for an agent', () => {
  for (const { name, given, want } of cases) test(name, () => expect(gist(given)).toEqual(want));

  test('a window is told in instants', () =>
    expect(
      plansFor(facts({ agent: anAgentOf('1.0.0', { maintenance: [window(-60, 3600)] }) })).conditions[0]
        ?.message,
    ).toBe('Maintenance from 2026-01-01T11:59:00Z until 2026-01-01T13:00:00Z ("disk swap")'));
});

describe('the list of what remains', () => {
  const held = [running('b', false), running('a', true)];
  test('says of each why, by name', () =>
    expect(
      plansFor(facts({ agent: anAgentOf('1.0.0', { draining: true, drainBy: at(-1).toISOString() }), held }))
        .remaining,
    ).toMatchObject({
      count: 2,
      contracts: [
        { name: 'a', phase: 'Active', reason: 'Moving' },
        { name: 'b', phase: 'Active', reason: 'NotMovable' },
      ],
    }));
  test('of a revoked agent: unattended', () =>
    expect(
      plansFor(facts({ agent: anAgentOf('1.0.0', { revoked: true }), held })).remaining?.contracts.map(
        ({ reason }) => reason,
      ),
    ).toEqual(['Unattended', 'Unattended']));
  test('names some, and counts all', () => {
    const many = Array.from({ length: 40 }, (_, n) => running(`c-${n}`, true));
    const { remaining } = plansFor(facts({ agent: anAgentOf('1.0.0', { draining: true }), held: many }));
    expect(remaining).toMatchObject({ count: 40 });
    expect(remaining?.contracts).toHaveLength(32);
  });

  test('is in the status while it is drained, with at most a write every ten seconds, and not after', () => {
    const agent = anAgentOf('1.0.0', { draining: true });
    const base = { lease: undefined, work: NO_WORK, pool: aPool(), activeContracts: 2, now: NOON };
    const first = decideAgent({ ...base, agent, held, sinceLastWriteMs: 0 }).status;
    expect(first.remaining?.count).toBe(2);
    const known = { ...agent, status: first };
    const fewer = { ...base, agent: known, held: held.slice(1), activeContracts: 1 };
    expect(decideAgent({ ...fewer, sinceLastWriteMs: 4000 })).toEqual({
      status: first,
      requeueAfterMs: 6000,
    });
    expect(decideAgent({ ...fewer, sinceLastWriteMs: 10_000 }).status.remaining?.count).toBe(1);
    const back = { ...known, spec: { ...known.spec, draining: false } };
    const after = decideAgent({ ...base, agent: back, held, sinceLastWriteMs: 0 }).status;
    expect(after.remaining).toBeUndefined();
    expect(after.conditions?.map(({ type }) => type)).not.toContain('Drained');
  });
});
