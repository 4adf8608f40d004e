/** What happens next to a machine that runs, is to go, or is gone. */
import { describe, expect, test } from 'vitest';
import { aContract, anOffering, at, NOON, someTerms } from '../../crds/contract/builders.ts';
import { cancel, gist, held, instance, someFacts } from './builders.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';

const cases: { name: string; given: Partial<Facts>; want: object }[] = [
  {
    name: 'runs until its end',
    given: { contract: aContract('Active', { ...held, instance, startsAt: at(0).toISOString() }) },
    want: { phase: 'Active', requeueAfterMs: 82_740_000 },
  },
  {
    name: 'is warned of its end',
    given: {
      contract: aContract('Active', { ...held, instance, startsAt: NOON.toISOString() }),
      now: at(23 * 3600),
    },
    want: { phase: 'Active', requeueAfterMs: 0 },
  },
  {
    name: 'paused by the provider',
    given: {
      contract: aContract(
        'Active',
        { ...held, instance, startsAt: NOON.toISOString() },
        { spec: { pause: { requested: true } } },
      ),
    },
    want: { phase: 'Paused', reason: 'PausedByProvider' },
  },
  {
    name: 'paused at its end where the terms say so',
    given: {
      contract: aContract(
        'Active',
        { ...held, instance, startsAt: NOON.toISOString() },
        {
          spec: {
            termsSnapshot: someTerms({ expiry: { action: 'Pause', graceHours: 2, warnHours: [] } }),
          },
        },
      ),
      now: at(86_400),
    },
    want: { phase: 'Paused', reason: 'DurationEnded' },
  },
  {
    name: 'renewed where the tenant wants it',
    given: {
      contract: aContract(
        'Active',
        { ...held, instance, startsAt: NOON.toISOString() },
        { spec: { autoRenew: { hours: 24, maxHours: 48 } } },
      ),
      now: at(86_400),
    },
    want: { phase: 'Active' },
  },
  {
    name: 'its time is over',
    given: {
      contract: aContract('Active', { ...held, instance, startsAt: at(0).toISOString() }),
      now: at(86_400),
    },
    want: { phase: 'Terminating', reason: 'DurationEnded' },
  },
  {
    name: 'active and cancelled',
    given: { contract: aContract('Active', { ...held, instance }, cancel) },
    want: { phase: 'Terminating', reason: 'CancelledByTenant' },
  },
  {
    name: 'its machine is lost',
    given: { contract: aContract('Active', { epoch: 1, holders: [], instance }) },
    want: { phase: 'Terminating', reason: 'InstanceLost' },
  },
  {
    name: 'its machine is lost and may be built anew',
    given: {
      contract: aContract(
        'Active',
        { epoch: 1, holders: [], instance },
        { spec: { termsSnapshot: someTerms({ allowRecreation: true }) } },
      ),
    },
    want: { phase: 'Accepted', epoch: 2 },
  },
  {
    name: 'waits for whoever may have a machine',
    given: { contract: aContract('Terminating', held) },
    want: { phase: 'Terminating' },
  },
  {
    name: 'a cancel wins over the deadline',
    given: { contract: aContract('Terminating', { reason: 'DeadlineExceeded', holders: [] }, cancel) },
    want: { phase: 'Cancelled' },
  },
  {
    name: 'ends Expired',
    given: { contract: aContract('Terminating', { reason: 'DurationEnded', holders: [] }) },
    want: { phase: 'Expired' },
  },
  {
    name: 'ends Failed',
    given: { contract: aContract('Terminating', { reason: 'AttemptsExhausted' }) },
    want: { phase: 'Failed', reason: 'AttemptsExhausted' },
  },
  {
    name: 'an ended contract gives its stock back, then is archived: a database that is down keeps no stock',
    given: {
      contract: aContract('Cancelled'),
      offering: anOffering({ stock: 1 }, { reserved: [aContract().metadata.uid ?? ''] }),
    },
    want: { before: ['ReleaseStock', 'Archive'], after: [] },
  },
  {
    name: 'a deleted one is archived before its finalizer goes',
    given: { contract: aContract('Cancelled', {}, { metadata: { deletionTimestamp: NOON.toISOString() } }) },
    want: { after: ['Archive', 'RemoveFinalizer'] },
  },
];

describe('what happens next to what runs or ends', () => {
  for (const { name, given, want } of cases)
    test(name, () => expect(gist(decide(someFacts(given)))).toMatchObject(want));
});

test('a contract that ends early has ended by now, not when it was booked to', () => {
  const contract = aContract('Terminating', { holders: [], endsAt: at(9999).toISOString() }, cancel);
  expect(decide(someFacts({ contract })).status?.endsAt).toBe(at(60).toISOString());
});

test.each([
  ['its machine is lost', { holders: [] }, {}],
  ['it is cancelled', {}, cancel],
])('a pause that ends since %s is credited', (_name, change, more) => {
  const since = { startsAt: NOON.toISOString(), pausedAt: at(10).toISOString() };
  const contract = aContract('Paused', { ...held, instance, ...since, ...change }, more);
  const { status } = decide(someFacts({ contract, now: at(70) }));
  expect(status).toMatchObject({
    ...{ phase: 'Terminating', pausedMs: 60_000, endsAt: at(86_400 + 60).toISOString() },
  });
});

test('while its provider pauses it no end is kept, and nothing is written as time goes by', () => {
  const pause = { spec: { pause: { requested: true } } };
  const since = { startsAt: NOON.toISOString(), pausedAt: at(10).toISOString() };
  const contract = aContract('Paused', { ...held, instance, ...since }, pause);
  const said = [at(70), at(7000)].map((now) => decide(someFacts({ contract, now })).status);
  expect(said[0]).toEqual(said[1]);
  expect(said[0]?.endsAt).toBeUndefined();
});

test('a machine that is to go is recorded too: who should have done it while it was Active may have died', () => {
  const instance = { agentUID: 'agent-uid', epoch: 1, externalId: 'vm-1' };
  const recorded = (status: object) =>
    decide(someFacts({ contract: aContract('Terminating', status) })).after.map(({ type }) => type);
  expect(recorded({ ...held, instance })).toEqual(['RecordInstance']);
  expect(recorded(held)).toEqual([]);
});
