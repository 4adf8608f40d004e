/** What happens next to a request: waits, is accepted, rejected, cancelled or too old. */
import { describe, expect, test } from 'vitest';
import { aContract, anOffering, aProvider, at, NOON, someTerms } from '../../crds/contract/builders.ts';
import { cancel, fresh, gist, newborn, someFacts } from './builders.ts';
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
];

describe('what happens next to a request', () => {
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
