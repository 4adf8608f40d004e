import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costMinor } from './price.ts';

test.each([
  [{ amountMinor: 500, per: 'Month' as const }, 720, 500],
  [{ amountMinor: 500, per: 'Month' as const }, 1, 1],
  [{ amountMinor: 0, per: 'Month' as const }, 720, 0],
  [{ amountMinor: 7, per: 'Day' as const }, 25, 8],
  [{ amountMinor: 3, per: 'Hour' as const }, 5, 15],
  [{ amountMinor: 1_000_000_000, per: 'Hour' as const }, 87_600, 87_600_000_000_000],
])('%j for %i hours is %i', (price, hours, want) =>
  expect(costMinor({ ...price, currency: 'EUR' }, hours)).toBe(want),
);

test('is the exact quotient rounded up, by whole numbers of any size', () =>
  fc.assert(
    fc.property(
      fc.nat(1_000_000_000),
      fc.constantFrom('Hour' as const, 'Day' as const, 'Month' as const),
      fc.integer({ min: 1, max: 87_600 }),
      (amountMinor, per, hours) => {
        const period = { Hour: 1n, Day: 24n, Month: 720n }[per];
        const exact = (BigInt(amountMinor) * BigInt(hours) + period - 1n) / period;
        expect(BigInt(costMinor({ amountMinor, per, currency: 'EUR' }, hours))).toBe(exact);
      },
    ),
  ));
