/**
 * Prices in the rules of the API server: the same sums and the same words as `price.ts`, as CEL. Each takes
 * expressions and gives one. Whole numbers alone, as everywhere. Words are put together by `format` and never by `+`:
 * the API server reckons with the longest text that a sum could give, and takes no rule that might be slow.
 */
import { HOURS_OF, MINOR_DIGITS, USUAL_DIGITS } from './price.ts';

/** `samePrice`, for prices of two places. */
export const samePriceCel = (a: string, b: string): string =>
  `(${['amountMinor', 'currency', 'per'].map((field) => `${a}.${field} == ${b}.${field}`).join(' && ')})`;

/** As `costMinor`. */
export function costCel(price: string, hours: string): string {
  const { Hour, Day, Month } = HOURS_OF;
  const period = `(${price}.per == 'Hour' ? ${Hour} : ${price}.per == 'Day' ? ${Day} : ${Month})`;
  return `((${price}.amountMinor * ${hours} + ${period} - 1) / ${period})`;
}

/** As `moneyWords`. */
export function moneyCel(amountMinor: string, currency: string): string {
  const others = Object.entries(MINOR_DIGITS).map(([digits, currencies]) => {
    const names = currencies.map((name) => `'${name}'`).join(',');
    return `${currency} in [${names}] ? ${amountCel([amountMinor, currency], Number(digits))} : `;
  });
  return `(${others.join('')}${amountCel([amountMinor, currency], USUAL_DIGITS)})`;
}

function amountCel([amount, currency]: readonly [string, string], digits: number): string {
  // Digit by digit: the leading zeros of the rest stay.
  const rest = Array.from({ length: digits }, (_, n) => `${amount} / ${10 ** (digits - 1 - n)} % 10`);
  const form = `%d${rest.length > 0 ? '.' : ''}${'%d'.repeat(rest.length)} %s`;
  return `'${form}'.format([${[`${amount} / ${10 ** digits}`, ...rest, currency].join(', ')}])`;
}

/** As `priceSentence`. */
export function priceCel(price: string): string {
  const per = `(${price}.per == 'Hour' ? 'an hour' : ${price}.per == 'Day' ? 'a day' : 'a month')`;
  const money = moneyCel(`${price}.amountMinor`, `${price}.currency`);
  return `(${price}.amountMinor == 0 ? 'nothing' : '%s %s'.format([${money}, ${per}]))`;
}
