/** What happens next from acceptance to the first login. */
import { describe, expect, test } from 'vitest';
import { aContract, aLock, at } from '../../crds/contract/builders.ts';
import { isFaultOfAgent } from '../../crds/placement/health.ts';
import { anOutlook, cancel, gist, held, instance, someFacts, verified } from './builders.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';

/** Nothing of it is known to be wrong but the time. */
const overdue = {
  now: at(1800),
  hosts: { drained: undefined, elsewhere: undefined, othersCanTry: true, deserted: [] },
};

const cases: { name: string; given: Partial<Facts>; want: object }[] = [
  { name: 'waits in line', given: {}, want: { phase: 'Accepted', requeueAfterMs: 3_540_000 } },
  {
    name: 'says when no agent is online',
    given: { outlook: anOutlook('NoAgentOnline') },
    want: { phase: 'Accepted', reason: 'NoAgentOnline' },
  },
  {
    name: 'accepted and cancelled, nobody has a machine',
    given: { contract: aContract('Accepted', {}, cancel) },
    want: { phase: 'Cancelled' },
  },
  {
    name: 'accepted and cancelled, somebody may have a machine',
    given: { contract: aContract('Accepted', held, cancel) },
    want: { phase: 'Terminating' },
  },
  {
    name: 'three failures',
    given: { contract: aContract('Accepted', { failures: 3 }) },
    want: { phase: 'Failed', reason: 'AttemptsExhausted' },
  },
  {
    name: 'three failures with a holder left',
    given: { contract: aContract('Accepted', { failures: 3, ...held }) },
    want: { phase: 'Terminating', reason: 'AttemptsExhausted' },
  },
  { name: 'out of time', given: { now: at(3600) }, want: { phase: 'Failed', reason: 'DeadlineExceeded' } },
  {
    name: 'nobody ever had room',
    given: { contract: aContract('Accepted', { capacityReleases: 10 }) },
    want: { phase: 'Failed', reason: 'NoCapacity' },
  },
  {
    name: 'a lock that is renewed stays',
    given: { contract: aContract('Provisioning', { ...held, lock: aLock(1) }), lockSilentMs: 299_000 },
    want: { phase: 'Provisioning', requeueAfterMs: 1000 },
  },
  {
    name: 'a silent lock expires: epoch and holder stay',
    given: { contract: aContract('Provisioning', { ...held, lock: aLock(1) }), lockSilentMs: 300_000 },
    want: { phase: 'Accepted', reason: 'LockExpired', epoch: 1 },
  },
  {
    name: 'cancelled while it is built',
    given: { contract: aContract('Provisioning', { ...held, lock: aLock(1) }, cancel) },
    want: { phase: 'Terminating' },
  },
  {
    name: 'out of time while it is built',
    given: { contract: aContract('Provisioning', { ...held, lock: aLock(1) }), now: at(3600) },
    want: { phase: 'Terminating', reason: 'DeadlineExceeded' },
  },
  {
    name: 'held for 30 minutes and renewed, and another agent could try: the next attempt, which that one may make',
    given: { contract: aContract('Provisioning', { ...held, lock: aLock(1) }), ...overdue },
    want: { phase: 'Accepted', reason: 'AttemptTooLong', epoch: 2 },
  },
  {
    name: 'a second less',
    given: { contract: aContract('Provisioning', { ...held, lock: aLock(1) }), ...overdue, now: at(1799) },
    want: { phase: 'Provisioning', requeueAfterMs: 1000 },
  },
  {
    name: 'held for as long, and nobody else could try: it may go on',
    given: {
      contract: aContract('Provisioning', { ...held, lock: aLock(1) }),
      ...{ now: at(1800), hosts: { ...overdue.hosts, othersCanTry: false } },
    },
    want: { phase: 'Provisioning', requeueAfterMs: 300_000 },
  },
  {
    name: 'held for as long in its last try: it may go on',
    given: { contract: aContract('Provisioning', { ...held, failures: 2, lock: aLock(1) }), ...overdue },
    want: { phase: 'Provisioning' },
  },
  {
    name: 'seen reachable',
    given: { contract: aContract('Provisioned', { ...held, instance, access: verified }) },
    want: { phase: 'Active', reason: 'Reachable', after: ['RecordInstance'] },
  },
  {
    name: 'not seen reachable yet',
    given: { contract: aContract('Provisioned', { ...held, instance, provisionedAt: at(0).toISOString() }) },
    want: { phase: 'Provisioned', requeueAfterMs: 240_000 },
  },
  {
    name: 'not reachable in time: the next attempt',
    given: {
      contract: aContract('Provisioned', { ...held, instance, provisionedAt: at(-300).toISOString() }),
    },
    want: { phase: 'Accepted', reason: 'NotReachable', epoch: 2 },
  },
  {
    name: 'gone before it was seen',
    given: { contract: aContract('Provisioned', { epoch: 1, holders: [], instance, access: verified }) },
    want: { phase: 'Accepted', reason: 'InstanceLost', epoch: 2 },
  },
];

describe('what happens next to what is to be built', () => {
  for (const { name, given, want } of cases)
    test(name, () => expect(gist(decide(someFacts(given)))).toMatchObject(want));
});

describe('at the deadline of a contract that is being built', () => {
  const attemptsOf = (acquiredAt: Date) => {
    const contract = aContract('Provisioning', {
      ...held,
      lock: aLock(1, { acquiredAt: acquiredAt.toISOString() }),
    });
    return decide(someFacts({ contract, now: at(3600) })).status?.attempts;
  };
  test('who sat on it and renewed has failed it, and three such open its breaker', () => {
    const [attempt] = attemptsOf(at(1800)) ?? [];
    expect(attempt).toMatchObject({ agentUID: held.holders[0]?.agentUID, epoch: 1, outcome: 'Expired' });
    expect(attempt && isFaultOfAgent(attempt)).toBe(true);
  });
  test('who was asked late is not to blame', () => expect(attemptsOf(at(1801))).toBeUndefined());
});
