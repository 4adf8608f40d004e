import { expect, test } from 'vitest';
import type { PriceValue } from '../price.ts';
import { aContract, at, someTerms } from './builders.ts';
import type { ContractStatus } from './status.ts';
import { unusedOf, unusedWords } from './unused.ts';

const HOUR = 3600;
const eur = (amountMinor: number, per: PriceValue['per'] = 'Day'): PriceValue => ({
  ...{ amountMinor, currency: 'EUR', per },
});
/** Ran from noon on for `ran` hours of 24, was moved, and found no place. */
function moved(ran: number, price: PriceValue, change: Partial<ContractStatus> = {}) {
  const step = (seq: number, hour: number, move: object) => ({
    ...{ seq, at: at(hour * HOUR).toISOString(), by: 'operator', reason: 'x', ...move },
  });
  return aContract(
    'Failed',
    {
      startsAt: at(0).toISOString(),
      endsAt: at((ran + 1) * HOUR).toISOString(), // an end that came early has shortened it
      history: [
        step(1, 0, { from: 'Provisioned', to: 'Active' }),
        step(2, ran, { from: 'Active', to: 'Accepted', reason: 'Moved' }),
        step(3, ran + 1, { from: 'Accepted', to: 'Failed', reason: 'DeadlineExceeded' }),
      ] as ContractStatus['history'],
      ...change,
    },
    { spec: { durationHours: 24, termsSnapshot: someTerms({ price, maxHours: 720 }) } },
  );
}
const added = (hours: number, price: PriceValue) => ({ seq: 1, hours, price, at: at(0).toISOString() });

test.each([
  [
    'nothing was to be paid',
    moved(5, eur(0)),
    'It ran until 2026-01-01T17:00:00.000Z; 19 of its 24 hours were left.',
  ],
  [
    'the rest is what the day cost less what the hours before cost',
    moved(5, eur(500)),
    'It ran until 2026-01-01T17:00:00.000Z; 19 of its 24 hours were left, worth 3.95 EUR by your terms.',
  ],
  [
    'a begun hour has been used',
    moved(22.5, eur(24)),
    'It ran until 2026-01-02T10:30:00.000Z; 1 of its 24 hours was left, worth 0.01 EUR by your terms.',
  ],
  [
    'its end was near',
    moved(23.5, eur(500)),
    'It ran until 2026-01-02T11:30:00.000Z; less than an hour of its 24 hours was left.',
  ],
  [
    'time that it was paused is no time that it ran',
    moved(9, eur(0), { pausedMs: 4 * HOUR * 1000 }),
    'It ran until 2026-01-01T21:00:00.000Z; 19 of its 24 hours were left.',
  ],
  [
    'the hours that were added are the last ones, at their own price',
    moved(20, eur(100), {
      agreedHours: 24,
      renewedHours: 12,
      extensions: [added(12, eur(2400))],
    }),
    'It ran until 2026-01-02T08:00:00.000Z; 16 of its 36 hours were left, worth 12.16 EUR by your terms.',
  ],
])('of a rental that ran: %s', (_name, contract, words) => {
  const unused = unusedOf(contract);
  expect(unused && unusedWords(unused)).toBe(words);
});

test('what never ran, or runs, has nothing left', () => {
  expect(unusedOf(aContract('Failed'))).toBeUndefined();
  const { status, ...rest } = moved(5, eur(0));
  expect(unusedOf({ ...rest, status: { ...status, phase: 'Active' } })).toBeUndefined();
});
