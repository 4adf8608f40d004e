/** Giving up, honestly: why a contract fails, how a provider retries it, how a holder goes by force. */
import { describe, expect, test } from 'vitest';
import {
  aContract,
  aHolder,
  anOffering,
  at,
  CONTRACT_UID,
  someTerms,
  uidOf,
} from '../../crds/contract/builders.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { Attempt, ContractStatus } from '../../crds/contract/status.ts';
import { anOutlook, cancel, gist, someFacts } from './builders.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';

const attempt = (n: number, epoch: number, change: Partial<Attempt> = {}): Attempt => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  epoch,
  startedAt: at(0).toISOString(),
  endedAt: at(10).toISOString(),
  outcome: 'Failed',
  class: 'transient',
  message: `agent-${n} found no disk`,
  ...change,
});
const nobody = anOutlook('NoEligibleAgent');
const wrong = (n: number, epoch: number): Attempt => attempt(n, epoch, { class: 'configuration' });
const HOUR = 3600;

describe('a configuration that does not work', () => {
  const cases: { name: string; attempts: Attempt[]; given?: Partial<Facts>; want: object }[] = [
    { name: 'one agent says so: another one is asked', attempts: [wrong(1, 1)], want: { phase: 'Accepted' } },
    {
      name: 'one agent says so, and there is no other',
      attempts: [wrong(1, 1)],
      given: { outlook: nobody },
      want: { phase: 'Failed', reason: 'ConfigurationRefused' },
    },
    {
      name: 'one agent says so, and the others only lack room',
      attempts: [wrong(1, 1)],
      given: { outlook: { ...nobody, hasHope: true } },
      want: { phase: 'Accepted', reason: 'NoEligibleAgent' },
    },
    {
      name: 'one agent says so twice: that is one word',
      attempts: [wrong(1, 1), wrong(1, 2)],
      want: { phase: 'Accepted' },
    },
    {
      name: 'two agents say so',
      attempts: [wrong(1, 1), wrong(2, 2)],
      want: { phase: 'Failed', reason: 'ConfigurationRefused' },
    },
    {
      name: 'permanent is about the agent: others are waited for',
      attempts: [attempt(1, 1, { class: 'permanent' })],
      given: { outlook: nobody },
      want: { phase: 'Accepted', reason: 'NoEligibleAgent' },
    },
  ];
  for (const { name, attempts, given, want } of cases)
    test(name, () =>
      expect(
        gist(decide(someFacts({ contract: aContract('Accepted', { epoch: 4, attempts }), ...given }))),
      ).toMatchObject(want),
    );
});

test('why it failed names no machine of the provider', () => {
  const attempts = [attempt(1, 1), attempt(2, 2), attempt(1, 3)];
  const given: Partial<ContractStatus>[] = [
    { failures: 3, attempts },
    { capacityReleases: 10, attempts },
    { attempts: [wrong(1, 1), wrong(2, 2)] },
    { provisionBy: at(1).toISOString(), message: 'agent-1 was last heard at noon', attempts },
  ];
  const said = given.map((change) => decide(someFacts({ contract: aContract('Accepted', change) })).status);
  expect(said.map((status) => status?.reason)).toEqual([
    'AttemptsExhausted',
    'NoCapacity',
    'ConfigurationRefused',
    'DeadlineExceeded',
  ]);
  for (const status of said) expect(status?.message).not.toMatch(/agent|disk/);
});

test('a machine that is lost and built anew begins a new round: old failures do not count against it', () => {
  const instance = { agentUID: uidOf(1), epoch: 3, externalId: 'dc-1' };
  const contract = aContract(
    'Active',
    { epoch: 3, failures: 2, instance, attempts: [attempt(1, 1, { class: 'permanent' })] },
    { spec: { termsSnapshot: someTerms({ allowRecreation: true }) } },
  );
  expect(decide(someFacts({ contract })).status).toMatchObject({
    phase: 'Accepted',
    epoch: 4,
    failures: 0,
    attemptsFrom: 4,
  });
});

describe("a provider's retry", () => {
  const failedAt = [
    { seq: 3, at: at(0).toISOString(), to: 'Failed' as const, by: 'operator', reason: 'AttemptsExhausted' },
  ];
  const failed = (spec: Partial<LiveContract['spec']> = {}, change: Partial<ContractStatus> = {}) =>
    aContract(
      'Failed',
      {
        epoch: 7,
        failures: 3,
        capacityReleases: 2,
        attempts: [attempt(1, 7, { class: 'permanent' })],
        history: failedAt,
        endsAt: at(1).toISOString(),
        ...change,
      },
      { spec },
    );
  const stock = (...reserved: string[]) => anOffering({ stock: 1 }, { reserved });

  test('can wait: what failed keeps 24 hours before it is archived, but no stock', () => {
    const offering = stock(CONTRACT_UID);
    expect(gist(decide(someFacts({ contract: failed(), offering })))).toMatchObject({
      phase: 'Failed',
      before: [],
      after: ['ReleaseStock'],
      requeueAfterMs: (24 * HOUR - 60) * 1000,
    });
    const later = decide(someFacts({ contract: failed({ retry: 1 }), now: at(24 * HOUR) }));
    expect(gist(later)).toMatchObject({ phase: 'Failed', before: ['Archive'] });
    expect(gist(decide(someFacts({ contract: failed(), failedGraceMs: 60_000 })))).toMatchObject({
      before: ['Archive'],
    });
  });

  test('begins a new round: deadline, attempts and agents afresh, with a new epoch', () => {
    const { status, before } = decide(someFacts({ contract: failed({ retry: 1 }) }));
    expect(before).toEqual([]);
    expect(status).toMatchObject({
      phase: 'Accepted',
      reason: 'Retried',
      epoch: 8,
      attemptsFrom: 8,
      retried: 1,
      failures: 0,
      capacityReleases: 0,
      provisionBy: at(60 + HOUR).toISOString(),
      attempts: [{ epoch: 7 }],
    });
    expect(status?.endsAt).toBeUndefined();
    const paused = { pausedAt: at(0).toISOString(), graceEndsAt: at(9).toISOString() };
    const anew = decide(someFacts({ contract: failed({ retry: 1 }, paused) })).status;
    expect([anew?.pausedAt, anew?.graceEndsAt]).toEqual([undefined, undefined]);
    const next = { ...failed({ retry: 1 }), status: status as ContractStatus };
    expect(gist(decide(someFacts({ contract: next, outlook: nobody })))).toMatchObject({ phase: 'Accepted' });
  });

  test('is made once: a failure after it waits for the next wish', () =>
    expect(gist(decide(someFacts({ contract: failed({ retry: 1 }, { retried: 1 }) })))).toMatchObject({
      phase: 'Failed',
      before: [],
    }));

  test('takes a unit again, even when the cache still shows the old one', () => {
    for (const offering of [stock(), stock(CONTRACT_UID)])
      expect(gist(decide(someFacts({ contract: failed({ retry: 1 }), offering })))).toMatchObject({
        phase: 'Accepted',
        before: ['ReserveStock'],
      });
  });

  test('waits, and says so, while all are rented', () => {
    const { status, ...decision } = decide(
      someFacts({ contract: failed({ retry: 1 }), offering: stock('other') }),
    );
    expect(gist({ status, ...decision })).toMatchObject({ phase: 'Failed', before: [], after: [] });
    expect(status?.conditions).toMatchObject([{ type: 'Retried', status: 'False', reason: 'OutOfStock' }]);
    const contract = { ...failed({ retry: 1 }), status: status as ContractStatus };
    const freed = decide(someFacts({ contract, offering: stock() })).status;
    expect(freed).toMatchObject({ phase: 'Accepted' });
    expect(freed?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
  });

  test('is nothing for whoever wants it to end', () =>
    expect(gist(decide(someFacts({ contract: failed({ retry: 1, ...cancel.spec }) })))).toMatchObject({
      phase: 'Failed',
      before: ['Archive'],
    }));
});

describe('force', () => {
  const wish = (n: number, epoch: number) => ({
    agentUID: uidOf(n),
    epoch,
    by: 'ada',
    reason: 'the host burnt down',
  });
  const contract = (phase: 'Accepted' | 'Terminating', ...forceRelease: ReturnType<typeof wish>[]) =>
    aContract(
      phase,
      { epoch: 2, reason: 'DeadlineExceeded', holders: [aHolder(1, 1), aHolder(2, 2)] },
      { spec: { forceRelease } },
    );
  const decided = (...args: Parameters<typeof contract>) =>
    decide(someFacts({ contract: contract(...args) }));

  test('takes exactly the entries that were named, and keeps who did it and why', () => {
    const { status, before } = decided('Terminating', wish(2, 2));
    expect(before).toEqual([{ type: 'RecordDebt', holder: aHolder(2, 2), how: 'Forced' }]);
    expect(status).toMatchObject({
      phase: 'Terminating',
      holders: [aHolder(1, 1)],
      abandoned: [
        {
          ...aHolder(2, 2),
          how: 'Forced',
          by: 'ada',
          reason: 'the host burnt down',
          at: at(60).toISOString(),
        },
      ],
    });
  });

  test('ends the contract when nobody is left', () => {
    expect(gist(decided('Terminating', wish(1, 1), wish(2, 2)))).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      before: ['RecordDebt', 'RecordDebt'],
    });
  });

  test('waits for its time: the epoch that counts is released only when the contract ends', () => {
    expect(decided('Accepted', wish(2, 2)).status?.holders).toEqual([aHolder(1, 1), aHolder(2, 2)]);
    expect(decided('Accepted', wish(1, 1)).status?.holders).toEqual([aHolder(2, 2)]);
  });
});
