/** The price that a tenant agrees to, where terms hold, and a cap on the price of a renewal: the same rule by API and YAML. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costsAtMost, type PriceValue } from '../price.ts';
import { act } from './act.ts';
import { refusalOfAgreedPrice } from './agreed-price.ts';
import { aContract, at, someTerms } from './builders.ts';
import { refusalOfRenewal } from './renewal-limit.ts';
import type { ContractSpec, TermsSnapshot } from './spec.ts';
import { judgeTerm } from './term.ts';

const price = (amountMinor: number, currency = 'EUR', per: PriceValue['per'] = 'Day'): PriceValue => ({
  ...{ amountMinor, currency, per },
});
const same = someTerms({ price: price(500), maxHours: 720 });
const current = { ...same, extension: { price: 'Current' as const } };
const running = (termsSnapshot: TermsSnapshot, spec: Partial<ContractSpec> = {}) =>
  aContract('Active', { startsAt: at(0).toISOString() }, { spec: { termsSnapshot, ...spec } });

describe('a price that is agreed to', () => {
  test.each([
    ['is that of the terms', same, price(500), undefined],
    ['is less', same, price(100), 'added hours cost 5.00 EUR a day by now, not 1.00 EUR a day as agreed'],
    ['is more', same, price(600), 'added hours cost 5.00 EUR a day by now, not 6.00 EUR a day as agreed'],
    ['is nothing', same, price(0), 'added hours cost 5.00 EUR a day by now, not nothing as agreed'],
    [
      'is of another period',
      same,
      price(500, 'EUR', 'Hour'),
      'added hours cost 5.00 EUR a day by now, not 5.00 EUR an hour as agreed',
    ],
    [
      'is in another currency',
      same,
      price(500, 'JPY'),
      'added hours cost 5.00 EUR a day by now, not 500 JPY a day as agreed',
    ],
    ['may come to be asked', current, price(100), undefined],
    ['is judged once there are terms', undefined, price(100), undefined],
  ])('%s', (_name, termsSnapshot, agreedPrice, message) => {
    expect(refusalOfAgreedPrice({ agreedPrice, termsSnapshot })).toBe(message);
    if (!message || !termsSnapshot) return;
    const asked = { type: 'extend', hours: 2, price: termsSnapshot.price, agreed: agreedPrice } as const;
    expect(act(running(termsSnapshot), asked)).toMatchObject({ code: 'PriceChanged', message });
  });

  test('of old, and in vain, does not stand in the way of hours at the price of the terms', () => {
    const extend = (agreedPrice: PriceValue) => {
      const done = act(running(same, { agreedPrice }), { type: 'extend', hours: 2, price: price(500) });
      return done.outcome === 'Write' ? [done.spec.durationHours, done.spec.agreedPrice] : done;
    };
    expect(extend(price(100))).toEqual([26, undefined]);
    expect(extend(price(500))).toEqual([26, price(500)]);
  });
});

describe('a cap on the price of a renewal', () => {
  const renewing = (terms: TermsSnapshot, maxPrice: PriceValue) =>
    running(terms, { autoRenew: { hours: 36, maxHours: 72, maxPrice } });
  const OTHER = 'it would never renew itself: it is priced in EUR, and autoRenew.maxPrice is in USD';
  const IN_EUR = 'Say autoRenew.maxPrice in EUR, or leave it out.';
  test.each([
    ['that is the price', same, price(500), undefined, undefined],
    ['that is as much in another period', same, price(15_000, 'EUR', 'Month'), undefined, undefined],
    ['in another currency', same, price(9000, 'USD'), OTHER, IN_EUR],
    ['in another currency, whatever is asked later', current, price(9000, 'USD'), OTHER, IN_EUR],
    [
      'that is never reached',
      same,
      price(499),
      'it would never renew itself: one renewal costs 7.50 EUR, and autoRenew.maxPrice allows 7.49 EUR at most',
      'It always costs 5.00 EUR a day: set autoRenew.maxPrice to that, or leave it out.',
    ],
    ['that may be reached, since prices fall', current, price(499), undefined, undefined],
  ])('%s', (_name, terms, maxPrice, message, next) => {
    const contract = renewing(terms, maxPrice);
    expect(refusalOfRenewal(contract)).toEqual(message && { message, next });
    const { autoRenew } = contract.spec;
    expect(act(running(terms), { type: 'renew', autoRenew })).toMatchObject(
      message ? { outcome: 'Refused', message, next } : { outcome: 'Write' },
    );
  });

  test('is judged anew when it alone is changed', () => {
    const contract = renewing(same, price(500));
    const autoRenew = { hours: 36, maxHours: 72, maxPrice: price(1) };
    expect(act(contract, { type: 'renew', autoRenew })).toMatchObject({ outcome: 'Refused' });
    const kept = renewing(same, price(1));
    expect(act(kept, { type: 'renew', autoRenew })).toMatchObject({ outcome: 'Write' });
  });

  test('is refused exactly when it would never renew, where the terms hold', () => {
    const anyPrice = fc.record({
      amountMinor: fc.nat(3000),
      currency: fc.constantFrom('EUR', 'USD'),
      per: fc.constantFrom('Hour' as const, 'Day' as const, 'Month' as const),
    });
    fc.assert(
      fc.property(anyPrice, anyPrice, (asked, maxPrice) => {
        const contract = renewing({ ...same, price: asked }, maxPrice);
        const verdict = judgeTerm(contract, { now: at(24 * 3600), price: asked });
        const isRefused = refusalOfRenewal(contract) !== undefined;
        expect(isRefused).toBe(verdict.type !== 'Renew');
        expect(isRefused).toBe(!costsAtMost(asked, { most: maxPrice, hours: 36 }));
      }),
    );
  });
});
