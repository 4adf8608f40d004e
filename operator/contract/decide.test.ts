import { describe, expect, test } from 'vitest';
import {
  aContract,
  aLock,
  anOffering,
  aProvider,
  at,
  NOON,
  someTerms,
} from '../../crds/contract/builders.ts';
import { anOutlook, cancel, fresh, gist, held, instance, newborn, someFacts, verified } from './builders.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';

const manual = aProvider({ acceptance: { mode: 'Manual' } });

const cases: { name: string; given: Partial<Facts>; want: object }[] = [
  {
    name: 'a new contract is prepared and accepted in one go',
    given: { contract: newborn },
    want: { phase: 'Accepted', reason: 'AwaitingAgent', epoch: 0, prepare: {} },
  },
  {
    name: 'terms and duration are written where YAML left them out',
    given: {
      contract: { ...newborn, spec: { ...newborn.spec, termsSnapshot: undefined, durationHours: undefined } },
    },
    want: { phase: 'Accepted', prepare: { termsSnapshot: someTerms(), durationHours: 24 } },
  },
  {
    name: 'without its offering it waits',
    given: { contract: newborn, offering: undefined, terms: undefined },
    want: { phase: 'Requested', reason: 'OfferingNotFound' },
  },
  {
    name: 'without a ready provider it waits',
    given: { contract: newborn, provider: undefined },
    want: { phase: 'Requested', reason: 'ProviderNotReady' },
  },
  {
    name: 'it is accepted when what it waited for is there',
    given: { contract: aContract('Requested', { reason: 'OfferingNotFound' }) },
    want: { phase: 'Accepted', reason: 'AwaitingAgent' },
  },
  {
    name: 'a tenant that is blocked is rejected, whoever else is allowed',
    given: {
      contract: newborn,
      provider: aProvider({
        acceptance: {
          mode: 'Automatic',
          allowedTenants: [newborn.spec.tenant.publicKey],
          blockedTenants: [newborn.spec.tenant.publicKey],
        },
      }),
    },
    want: { phase: 'Requested', requeueAfterMs: 0 },
  },
  {
    name: 'a tenant that is not on the list is rejected',
    given: {
      contract: aContract('Requested'),
      provider: aProvider({ acceptance: { mode: 'Automatic', allowedTenants: ['f'.repeat(64)] } }),
    },
    want: { phase: 'Rejected', reason: 'TenantNotAccepted' },
  },
  {
    name: 'a rental that is shorter than the provider wants is rejected',
    given: {
      contract: aContract('Requested'),
      provider: aProvider({ acceptance: { mode: 'Automatic', minDurationHours: 48 } }),
    },
    want: { phase: 'Rejected', reason: 'DurationNotAllowed' },
  },
  {
    name: 'acceptance by hand waits',
    given: { contract: newborn, provider: manual },
    want: { phase: 'Requested', reason: 'AwaitingDecision' },
  },
  {
    name: 'acceptance by hand: yes',
    given: {
      contract: aContract('Requested', {}, { spec: { decision: { verdict: 'Accept' } } }),
      provider: manual,
    },
    want: { phase: 'Accepted' },
  },
  {
    name: 'acceptance by hand: no',
    given: {
      contract: aContract('Requested', {}, { spec: { decision: { verdict: 'Reject' } } }),
      provider: manual,
    },
    want: { phase: 'Rejected', reason: 'RejectedByProvider' },
  },
  {
    name: 'too long for the offering',
    given: { contract: aContract('Requested', {}, { spec: { durationHours: 721 } }) },
    want: { phase: 'Rejected', reason: 'DurationNotAllowed' },
  },
  {
    name: 'too long for the provider',
    given: {
      contract: aContract('Requested', {}, { spec: { durationHours: 20 } }),
      provider: aProvider({ acceptance: { mode: 'Automatic', maxDurationHours: 10 } }),
    },
    want: { phase: 'Rejected' },
  },
  {
    name: 'what costs money waits for payments, whatever the snapshot says',
    given: {
      contract: newborn,
      offering: anOffering({ price: { amountMinor: 500, currency: 'EUR', per: 'Month' } }),
    },
    want: { phase: 'Requested', reason: 'PaymentUnavailable' },
  },
  {
    name: 'finite stock is taken before it is accepted',
    given: { contract: newborn, offering: anOffering({ stock: 1 }) },
    want: { phase: 'Accepted', before: ['ReserveStock'] },
  },
  {
    name: 'stock that is already its own is not taken twice',
    given: {
      contract: newborn,
      offering: anOffering({ stock: 1 }, { reserved: [newborn.metadata.uid ?? ''] }),
    },
    want: { phase: 'Accepted', before: [] },
  },
  {
    name: 'sold out waits',
    given: { contract: newborn, offering: anOffering({ stock: 1 }, { reserved: ['other'] }) },
    want: { phase: 'Requested', reason: 'OutOfStock' },
  },
  {
    name: 'a request cancelled',
    given: { contract: aContract('Requested', {}, cancel) },
    want: { phase: 'Cancelled', reason: 'CancelledByTenant' },
  },
  {
    name: 'a request that nobody could accept for 7 days',
    given: { contract: aContract('Requested'), provider: undefined, now: at(7 * 86_400) },
    want: { phase: 'Expired' },
  },
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

describe('what happens next to a contract', () => {
  for (const { name, given, want } of cases)
    test(name, () => expect(gist(decide(someFacts(given)))).toMatchObject(want));
});

describe('a contract that is deleted before it was ever accepted', () => {
  const deleted = { deletionTimestamp: NOON.toISOString() };
  test('goes by itself while our finalizer is not on it', () => {
    const contract = { ...newborn, metadata: { ...newborn.metadata, ...deleted } };
    expect(decide(someFacts({ contract }))).toEqual({ before: [], after: [], status: undefined });
  });
  test('is ended and let go when it is, terms or not', () => {
    const { termsSnapshot: _none, ...spec } = fresh.spec;
    const contract = { ...fresh, spec, metadata: { ...fresh.metadata, ...deleted } };
    expect(gist(decide(someFacts({ contract })))).toMatchObject({ phase: 'Requested', prepare: undefined });
  });
});

test('a contract that ends early has ended by now, not when it was booked to', () => {
  const contract = aContract('Terminating', { holders: [], endsAt: at(9999).toISOString() }, cancel);
  expect(decide(someFacts({ contract })).status?.endsAt).toBe(at(60).toISOString());
});

test('a machine that is to go is recorded too: who should have done it while it was Active may have died', () => {
  const instance = { agentUID: 'agent-uid', epoch: 1, externalId: 'vm-1' };
  const recorded = (status: object) =>
    decide(someFacts({ contract: aContract('Terminating', status) })).after.map(({ type }) => type);
  expect(recorded({ ...held, instance })).toEqual(['RecordInstance']);
  expect(recorded(held)).toEqual([]);
});
