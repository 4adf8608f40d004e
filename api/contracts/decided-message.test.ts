import { expect, test } from 'vitest';
import { aContract } from '../../crds/contract/builders.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import { tenantMessage } from './tenant-message.ts';

const said = (contract: LiveContract): string =>
  tenantMessage(contract, { online: () => 1, now: new Date('2026-01-01T12:00:00Z') });
const UNFIT = 'instanceConfig is not what the offering allows: /image must be one of "debian"';
const node = 'node-1 said so'; // of the provider's own; never passed on

test.each([
  [
    'a pause, with its reason',
    aContract(
      'Paused',
      { reason: 'PausedByProvider', message: node },
      { spec: { pause: { requested: true, reason: 'abuse report 17.' } } },
    ),
    'Your machine is paused by the provider: abuse report 17. The time is credited to you.',
  ],
  [
    'a pause without one',
    aContract('Paused', { message: node }, { spec: { pause: { requested: true } } }),
    'Your machine is paused by the provider. The time is credited to you.',
  ],
  [
    'the grace after the end, and how to keep the machine',
    aContract('Paused', {
      endsAt: '2026-01-02T12:00:00Z',
      graceEndsAt: '2026-01-03T12:00:00Z',
      message: node,
    }),
    'The rental ended at 2026-01-02T12:00:00Z. Extend it by 2026-01-03T12:00:00Z to keep your machine; after that it is removed.',
  ],
  [
    'a rejection by hand, with its note',
    aContract(
      'Rejected',
      { reason: 'RejectedByProvider', message: node },
      { spec: { decision: { verdict: 'Reject', note: 'not this week' } } },
    ),
    'The provider did not accept this rental: not this week. You pay nothing.',
  ],
  [
    'a duration that is not allowed, with what is',
    aContract('Rejected', {
      reason: 'DurationNotAllowed',
      message: '5 hours were asked for; 24 to 48 are allowed',
    }),
    'The provider did not accept this rental: 5 hours were asked for; 24 to 48 are allowed. You pay nothing.',
  ],
  [
    'a renewal that can never be, with why',
    aContract('Rejected', { reason: 'AutoRenewNotAllowed', message: 'it would never renew itself: x' }),
    'It cannot be rented like that: it would never renew itself: x. You pay nothing.',
  ],
  [
    'a list that the tenant is on, without a word about lists',
    aContract('Rejected', {
      reason: 'TenantNotAccepted',
      message: 'The provider does not rent to this tenant',
    }),
    'The provider does not rent to this tenant. You pay nothing.',
  ],
  [
    'settings that the offering does not allow, each with its pointer',
    aContract('Rejected', { reason: 'InstanceConfigInvalid', message: UNFIT }),
    `It cannot be rented like that: ${UNFIT}. You pay nothing.`,
  ],
  [
    'settings that the terms do not allow any more',
    aContract('Accepted', { reason: 'InstanceConfigInvalid', message: UNFIT }),
    `Nothing is built until it is corrected: ${UNFIT}.`,
  ],
  [
    'a word that is of no rule, without what was noted beside it',
    aContract('Rejected', { reason: 'SomethingElse', message: node }),
    'The provider did not accept this rental. You pay nothing.',
  ],
  [
    "the provider's cancellation, with its note",
    aContract(
      'Cancelled',
      { reason: 'CancelledByProvider', message: node },
      { spec: { cancel: { requested: true, by: 'Provider', note: 'we close down' } } },
    ),
    'The provider cancelled the rental: we close down.',
  ],
  [
    'the own cancellation',
    aContract(
      'Cancelled',
      { reason: 'CancelledByTenant' },
      { spec: { cancel: { requested: true, note: 'mine' } } },
    ),
    'The rental was cancelled.',
  ],
])('%s', (_name, contract, message) => expect(said(contract)).toBe(message));

test.each([
  ['AwaitingDecision', 'Waiting for the provider to accept it'],
  ['ProviderNotReady', 'Waiting for the provider, who cannot sell'],
  ['OfferingNotFound', 'Waiting for the offering'],
  ['OfferingNotReady', 'Waiting for the offering'],
])('what a request waits for is said, and no machine is promised: %s', (reason, words) => {
  const message = said(aContract('Requested', { reason, message: node }));
  expect(message).toContain(words);
  expect(message).not.toMatch(/agent|machine|node-1/);
});

test.each([
  ['OutOfStock', 'All 3 of this offering are rented; it starts when one is free'],
  [
    'PaymentUnavailable',
    'It costs 5.00 EUR a month, and payments are not available yet; it starts when they are',
  ],
])('why an order is not accepted yet, in the words of the rule: %s', (reason, message) =>
  expect(said(aContract('Requested', { reason, message }))).toBe(
    `${message}. You pay nothing while you wait; cancel at any time.`,
  ),
);

test('who decides by hand is waited for from the first answer on', () => {
  const { status: _none, ...fresh } = aContract('Requested');
  const facts = { online: () => 0, now: new Date(0) };
  expect(tenantMessage(fresh, { ...facts, byHand: () => true })).toContain('for the provider to accept it');
  expect(tenantMessage(fresh, facts)).toContain('No machine');
});
