/** What a person reads of a contract, with one and with many: conditions, Events, and refusals with their next step. */
import { describe, expect, test } from 'vitest';
import { act } from '../../crds/contract/act.ts';
import { aContract, aHolder, anOffering, at, someTerms } from '../../crds/contract/builders.ts';
import { failureMessage } from '../../crds/contract/give-up.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { withAttended } from './attended.ts';
import { someFacts } from './builders.ts';
import { decide } from './decide.ts';

describe('as many as there are', () => {
  test.each([
    [0, 'Nothing of this offering is for rent now; it starts when something is'],
    [1, 'The only one of this offering is rented; it starts when that is free'],
    [3, 'All 3 of this offering are rented; it starts when one is free'],
  ])('of a stock of %i: %s', (stock, message) => {
    const reserved = Array.from({ length: stock }, (_, n) => `other-${n}`);
    const offering = { ...anOffering({ stock }), status: { reserved } };
    expect(decide(someFacts({ contract: aContract('Requested'), offering })).status).toMatchObject({
      ...{ phase: 'Requested', reason: 'OutOfStock', message },
    });
  });

  test.each([
    [1, { minHours: 2, maxHours: 24 }, '1 hour was asked for; 2 to 24 are allowed'],
    [30, { minHours: 2, maxHours: 24 }, '30 hours were asked for; 2 to 24 are allowed'],
    [30, { minHours: 24, maxHours: 24 }, '30 hours were asked for; 24 are allowed'],
    [30, { minHours: 1, maxHours: 1 }, '30 hours were asked for; 1 is allowed'],
  ])('%i hours of %o', (durationHours, limits, message) => {
    const offering = anOffering({ duration: { ...limits, defaultHours: limits.minHours } });
    const contract = aContract('Requested', {}, { spec: { durationHours } });
    expect(decide(someFacts({ contract, offering })).status).toMatchObject({
      ...{ phase: 'Rejected', reason: 'DurationNotAllowed', message },
    });
  });

  test('an order that costs money says what it waits for', () => {
    const offering = anOffering({ price: { amountMinor: 500, currency: 'EUR', per: 'Month' } });
    expect(decide(someFacts({ contract: aContract('Requested'), offering })).status).toMatchObject({
      ...{ phase: 'Requested', reason: 'PaymentUnavailable' },
      message: 'It costs 5.00 EUR a month, and payments are not available yet; it starts when they are',
    });
  });

  test('an order that can never renew itself as it asks', () => {
    const offering = anOffering({ duration: { minHours: 1, maxHours: 30, defaultHours: 24 } });
    const asked = { autoRenew: { hours: 24, maxHours: 96 }, termsSnapshot: someTerms({ maxHours: 30 }) };
    const contract = aContract('Requested', {}, { spec: asked });
    expect(decide(someFacts({ contract, offering })).status).toMatchObject({
      ...{ phase: 'Rejected', reason: 'AutoRenewNotAllowed' },
      message: 'it would never renew itself: one renewal makes it 48 hours, and the terms allow 30 at most',
    });
  });

  test('an order that agrees to a price at which nothing could ever be added', () => {
    const agreedPrice = { amountMinor: 100, currency: 'EUR', per: 'Day' } as const;
    const contract = aContract('Requested', {}, { spec: { agreedPrice } });
    expect(decide(someFacts({ contract })).status).toMatchObject({
      ...{ phase: 'Rejected', reason: 'AgreedPriceNotAllowed' },
      message: 'added hours cost nothing by now, not 1.00 EUR a day as agreed',
    });
  });

  test.each([
    [25, 'the terms allow 25 hours at most, not 26', 'Extend it by 1 hour at most, or rent another one.'],
    [26, 'the terms allow 26 hours at most, not 27', 'Extend it by 2 hours at most, or rent another one.'],
    [24, 'the terms allow 24 hours at most, not 25', 'It has all the hours of its terms: rent another one.'],
  ])('too many hours for terms of %i', (maxHours, message, next) => {
    const contract = aContract('Active', {}, { spec: { termsSnapshot: someTerms({ maxHours }) } });
    const hours = maxHours - 24 + 1;
    expect(act(contract, { type: 'extend', hours })).toMatchObject({ outcome: 'Refused', message, next });
  });

  test.each([
    [[1], 'Unattended: agent-1 was revoked or deleted.'],
    [[1, 2], 'Unattended: agent-1, agent-2 were revoked or deleted.'],
  ])('agents %o that are gone', (gone, message) => {
    const holders = gone.map((n) => aHolder(n, n));
    const deserted = holders.map(({ agentUID }) => agentUID);
    const status: Pick<ContractStatus, 'holders' | 'conditions'> = { holders };
    const { conditions } = withAttended(status, { deserted, now: at(0) });
    expect(conditions?.[0]?.message).toContain(message);
  });

  test.each([
    [1, 'The only try to build it failed'],
    [3, 'All 3 tries to build it failed'],
  ])('%i tries', (failures, message) =>
    expect(failureMessage('AttemptsExhausted', { failures })).toBe(message),
  );
});
