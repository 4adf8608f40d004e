import { expect, test } from 'vitest';
import { OfferingSpec, OfferingStatus, STOCK_MAX } from './offering.ts';

test('no more can be on sale than units can be counted', () => {
  const uids = (count: number) => Array.from({ length: count }, (_, n) => `uid-${n}`);
  const counts = (units: number) => OfferingStatus.safeParse({ reserved: uids(units) }).success;
  const sells = (units: number) => OfferingSpec.shape.stock.safeParse(units).success;
  expect([sells(STOCK_MAX), sells(STOCK_MAX + 1)]).toEqual([true, false]);
  expect([counts(STOCK_MAX), counts(STOCK_MAX + 1)]).toEqual([true, false]);
});
