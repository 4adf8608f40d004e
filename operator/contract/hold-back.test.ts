/** Before etcd was compared with PostgreSQL: what goes on, and what waits. */
import { describe, expect, test } from 'vitest';
import { aContract, aLock, at } from '../../crds/contract/builders.ts';
import { cancel, fresh, gist, held, instance, someFacts, verified } from './builders.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';

const YEAR = 365 * 24 * 60;
const late = at(YEAR * 60);
const active = aContract('Active', {
  ...held,
  instance,
  startsAt: at(0).toISOString(),
  endsAt: at(60).toISOString(),
});

const cases: { name: string; given: Partial<Facts>; certain: string; uncertain: string }[] = [
  { name: 'a new one is accepted', given: { contract: fresh }, certain: 'Accepted', uncertain: 'Accepted' },
  {
    name: 'one that is reachable becomes Active',
    given: {
      contract: aContract('Provisioned', {
        ...held,
        instance,
        access: verified,
        provisionedAt: at(0).toISOString(),
      }),
    },
    certain: 'Active',
    uncertain: 'Active',
  },
  {
    name: 'one that was not verified in time waits',
    given: {
      contract: aContract('Provisioned', { ...held, instance, provisionedAt: at(0).toISOString() }),
      now: late,
    },
    certain: 'Accepted',
    uncertain: 'Provisioned',
  },
  {
    name: 'a rental that is over runs on',
    given: { contract: active, now: late },
    certain: 'Terminating',
    uncertain: 'Active',
  },
  {
    name: 'the wish to end is done',
    given: { contract: aContract('Active', active.status, cancel) },
    certain: 'Terminating',
    uncertain: 'Terminating',
  },
  {
    name: 'a deadline that passed while it was built waits',
    given: {
      contract: aContract('Provisioning', { ...held, lock: aLock(1), provisionBy: at(30).toISOString() }),
    },
    certain: 'Terminating',
    uncertain: 'Provisioning',
  },
  {
    name: 'an attempt that took too long goes on: what it built in a later world is not destroyed',
    given: {
      contract: aContract('Provisioning', { ...held, lock: aLock(1) }),
      hosts: { drained: undefined, elsewhere: undefined, othersCanTry: true, deserted: [] },
      now: at(1800),
    },
    certain: 'Accepted',
    uncertain: 'Provisioning',
  },
  {
    name: 'a deadline that passed before anybody came waits',
    given: { contract: aContract('Accepted', { provisionBy: at(30).toISOString() }) },
    certain: 'Failed',
    uncertain: 'Accepted',
  },
];

describe('an older etcd may have been put back', () => {
  for (const { name, given, certain, uncertain } of cases)
    test(name, () => {
      const facts = someFacts(given);
      expect(decide(facts).status?.phase).toBe(certain);
      expect(decide({ ...facts, isWorldCertain: true }).status?.phase).toBe(certain);
      expect(decide({ ...facts, isWorldCertain: false }).status?.phase).toBe(uncertain);
    });

  test('nothing is archived, forgotten or made a debt', () => {
    const contract = aContract('Cancelled', { epoch: 1 });
    const facts = someFacts({ contract, now: late });
    expect(gist(decide(facts)).before).toContain('Archive');
    expect(gist(decide({ ...facts, isWorldCertain: false }))).toMatchObject({
      phase: 'Cancelled',
      before: [],
      after: [],
      requeueAfterMs: 2000,
    });
    const line = { seq: 1, at: at(0).toISOString(), to: 'Terminating', by: 'operator', reason: 'X' } as const;
    const silent = someFacts({ contract: aContract('Terminating', { ...held, history: [line] }), now: late });
    expect(gist(decide(silent)).before).toContain('RecordDebt');
    expect(gist(decide({ ...silent, isWorldCertain: false }))).toMatchObject({
      phase: 'Terminating',
      before: [],
    });
  });
});
