/**
 * Whether a contract could renew itself even once more: `autoRenew` that its terms or its own caps can never let happen
 * is refused, not kept in silence. One rule in one sentence for the API, the operator (what comes with an order by
 * YAML) and the API server (what YAML changes later). Pure.
 */
import { counted } from '../../lib/counted.ts';
import { costMinor, costsAtMost, moneyWords, type PriceValue, priceSentence, samePrice } from '../price.ts';
import { costCel, moneyCel } from '../price-cel.ts';
import { IS_CURRENT_CEL, isPricedAlike } from './agreed-price.ts';
import type { Ordered } from './contract.ts';
import { hoursOf } from './extension.ts';
import { hoursLeft } from './extension-limit.ts';
import type { ContractSpec, TermsSnapshot } from './spec.ts';

export type RenewalRefusal = Readonly<{ message: string; next: string }>;

/** Why `spec.autoRenew` adds nothing (any more); undefined when it can, or while nobody has said how long it is. */
export function refusalOfRenewal(contract: Ordered): RenewalRefusal | undefined {
  const { spec, status } = contract;
  const { autoRenew, termsSnapshot } = spec;
  const rented = hoursOf(contract);
  if (!autoRenew || rented === undefined) return undefined;
  const after = rented + (status?.renewedHours ?? 0) + autoRenew.hours;
  const most = termsSnapshot?.maxHours ?? Number.POSITIVE_INFINITY;
  if (after > most) {
    const left = hoursLeft(contract, rented);
    const next =
      left === 0
        ? 'It has all the hours of its terms: rent another one.'
        : `Renew it by ${counted(left, 'hour')} at most.`;
    return { message: tooLong(`${after}`, `${BY_TERMS} ${most}`), next };
  }
  if (after > autoRenew.maxHours)
    return {
      message: tooLong(`${after}`, `${BY_CAP} ${autoRenew.maxHours}`),
      next: `Set autoRenew.maxHours to ${after} or more, or renew it by less.`,
    };
  return termsSnapshot && refusalOfMaxPrice(autoRenew, termsSnapshot);
}

type AutoRenew = ContractSpec['autoRenew'];

/** A cap on what a renewal may cost; what it costs where extensions cost the current price, nobody knows yet. */
function refusalOfMaxPrice(
  { hours, maxPrice }: NonNullable<AutoRenew>,
  terms: TermsSnapshot,
): RenewalRefusal | undefined {
  const { price } = terms;
  if (!maxPrice) return undefined;
  if (maxPrice.currency !== price.currency)
    return {
      message: otherCurrency(price.currency, maxPrice.currency),
      next: `Say autoRenew.maxPrice in ${price.currency}, or leave it out.`,
    };
  if (!isPricedAlike(terms) || costsAtMost(price, { most: maxPrice, hours })) return undefined;
  const money = (each: PriceValue): string => moneyWords(costMinor(each, hours), each.currency);
  return {
    message: tooDear(money(price), money(maxPrice)),
    next: `It always costs ${priceSentence(price)}: set autoRenew.maxPrice to that, or leave it out.`,
  };
}

/** Only what is changed is judged: a cap that was used up stays as it is. */
export const sameRenewal = (a: AutoRenew, b: AutoRenew): boolean =>
  a?.hours === b?.hours && a?.maxHours === b?.maxHours && sameLimit(a?.maxPrice, b?.maxPrice);

const sameLimit = (a: PriceValue | undefined, b: PriceValue | undefined): boolean =>
  a && b ? samePrice(a, b) : a === b;

const BY_TERMS = 'the terms allow';
const BY_CAP = 'autoRenew.maxHours allows';
const NEVER = 'it would never renew itself: ';
const tooLong = (after: string, most: string): string =>
  `${NEVER}one renewal makes it ${after} hours, and ${most} at most`;
const otherCurrency = (price: string, most: string): string =>
  `${NEVER}it is priced in ${price}, and autoRenew.maxPrice is in ${most}`;
const tooDear = (cost: string, most: string): string =>
  `${NEVER}one renewal costs ${cost}, and autoRenew.maxPrice allows ${most} at most`;

const RENEWAL = 'self.spec.autoRenew';
const OLD = 'oldSelf.spec.autoRenew';
const TERMS = 'self.spec.termsSnapshot';
const RENTED =
  '(has(self.status) && has(self.status.agreedHours) ? self.status.agreedHours : self.spec.durationHours)';
const RENEWED = '(has(self.status) && has(self.status.renewedHours) ? self.status.renewedHours : 0)';
const AFTER = `${RENTED} + ${RENEWED} + ${RENEWAL}.hours`;
const FITS_TERMS = `(!has(${TERMS}) || !has(${TERMS}.maxHours) || ${AFTER} <= ${TERMS}.maxHours)`;
const IS_AS_BEFORE = `(has(${OLD}) && ${RENEWAL} == ${OLD})`;
const FITS_CAP = `${AFTER} <= ${RENEWAL}.maxHours`;
const HAS_NO_PRICE = `!has(${RENEWAL}.maxPrice) || !has(${TERMS})`;
const IN_CURRENCY = `(${HAS_NO_PRICE} || ${RENEWAL}.maxPrice.currency == ${TERMS}.price.currency)`;
const COST = costCel(`${TERMS}.price`, `${RENEWAL}.hours`);
const MOST = costCel(`${RENEWAL}.maxPrice`, `${RENEWAL}.hours`);
const AFFORDS = `(${HAS_NO_PRICE} || ${IS_CURRENT_CEL} || ${COST} <= ${MOST})`;
const money = (amount: string): string => moneyCel(amount, `${TERMS}.price.currency`);

/** Over the whole object: what was renewed is in its status. */
export const RENEWAL_CEL = {
  rule: `!has(${RENEWAL}) || ${IS_AS_BEFORE} || !has(self.spec.durationHours) || (${FITS_TERMS} && ${FITS_CAP} && ${IN_CURRENCY} && ${AFFORDS})`,
  messageExpression:
    `!${FITS_TERMS} ? '${tooLong('%d', `${BY_TERMS} %d`)}'.format([${AFTER}, ${TERMS}.maxHours])` +
    ` : !(${FITS_CAP}) ? '${tooLong('%d', `${BY_CAP} %d`)}'.format([${AFTER}, ${RENEWAL}.maxHours])` +
    ` : !${IN_CURRENCY} ? '${otherCurrency('%s', '%s')}'.format([${TERMS}.price.currency, ${RENEWAL}.maxPrice.currency])` +
    ` : '${tooDear('%s', '%s')}'.format([${money(COST)}, ${money(MOST)}])`,
};
