/** What hours cost: whole minor units, never a float. A month is 720 hours. */

import type { z } from 'zod';
import { invariant } from '../lib/assert.ts';
import type { Price } from './offering.ts';

/** Hours of a period. */
export const HOURS_OF = { Hour: 1, Day: 24, Month: 720 } as const satisfies Record<
  z.infer<typeof Price>['per'],
  number
>;

/**
 * Digits behind the point, by ISO 4217: minor units are those of the standard, and not what a country still uses
 * (`Intl` shows HUF and IDR without any, which would be a hundred times too much).
 */
export const USUAL_DIGITS = 2;
export const MINOR_DIGITS: Readonly<Record<number, readonly string[]>> = {
  0: [
    ...['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV'],
    ...['XAF', 'XOF', 'XPF'],
  ],
  3: ['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'],
  4: ['CLF', 'UYW'],
};

export type PriceValue = z.infer<typeof Price>;

export const samePrice = (a: PriceValue, b: PriceValue): boolean =>
  a.amountMinor === b.amountMinor && a.currency === b.currency && a.per === b.per;

/** `5.00 EUR a month`, by whole numbers alone; `nothing` when it is free. */
export const priceSentence = ({ amountMinor, currency, per }: PriceValue): string =>
  amountMinor === 0
    ? 'nothing'
    : `${moneyWords(amountMinor, currency)} ${per === 'Hour' ? 'an' : 'a'} ${per.toLowerCase()}`;

/** `5.00 EUR`; minor units as the currency has them (JPY has none). */
export function moneyWords(amountMinor: number, currency: string): string {
  const digits = minorDigits(currency);
  const text = String(amountMinor).padStart(digits + 1, '0');
  return `${digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`} ${currency}`;
}

function minorDigits(currency: string): number {
  const known = Object.entries(MINOR_DIGITS).find(([, currencies]) => currencies.includes(currency));
  return known ? Number(known[0]) : USUAL_DIGITS;
}

/** Minor units for `hours`, rounded up to a whole one. At most 1e9 × 87,600, which a number holds exactly. */
export function costMinor({ amountMinor, per }: z.infer<typeof Price>, hours: number): number {
  const product = amountMinor * hours;
  invariant(Number.isSafeInteger(product) && product >= 0, 'prices and hours are bounded whole numbers');
  const period = HOURS_OF[per];
  return (product - (product % period)) / period + (product % period > 0 ? 1 : 0);
}

/** Do `hours` cost no more at `price` than at `most`? Never in another currency. */
export const costsAtMost = (
  price: PriceValue,
  { most, hours }: Readonly<{ most: PriceValue; hours: number }>,
): boolean => price.currency === most.currency && costMinor(price, hours) <= costMinor(most, hours);
