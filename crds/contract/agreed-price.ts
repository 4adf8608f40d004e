/**
 * The price that a tenant agrees to for added hours: hours are added at exactly that price, or not at all. One rule in
 * one sentence for the API, the operator, and the API server, which knows the price where the terms hold (`Same`) and
 * refuses there what YAML agrees to instead. Pure.
 */
import { type PriceValue, priceSentence, samePrice } from '../price.ts';
import { priceCel, samePriceCel } from '../price-cel.ts';
import type { ContractSpec, TermsSnapshot } from './spec.ts';

/** Do added hours cost what the terms say, for good? */
export const isPricedAlike = (terms: TermsSnapshot): boolean => terms.extension?.price !== 'Current';

/** Why hours are not added at `price` to who agreed to `agreed`; undefined when they are. */
export const refusalOfPrice = (price: PriceValue, agreed: PriceValue): string | undefined =>
  samePrice(agreed, price) ? undefined : sentence(priceSentence(price), priceSentence(agreed));

/** Of an order that comes with a price: with these terms no hours could ever be added at it. */
export function refusalOfAgreedPrice({
  agreedPrice,
  termsSnapshot: terms,
}: Pick<ContractSpec, 'agreedPrice' | 'termsSnapshot'>): string | undefined {
  return agreedPrice && terms && isPricedAlike(terms) ? refusalOfPrice(terms.price, agreedPrice) : undefined;
}

const sentence = (price: string, agreed: string): string =>
  `added hours cost ${price} by now, not ${agreed} as agreed`;

const AGREED = 'self.spec.agreedPrice';
const OLD = 'oldSelf.spec';
const TERMS = 'self.spec.termsSnapshot';
const SAME_HOURS = `(!has(${OLD}.durationHours) || !has(self.spec.durationHours) || self.spec.durationHours == ${OLD}.durationHours)`;
const SAME_AGREED = `(has(${OLD}.agreedPrice) && ${AGREED} == ${OLD}.agreedPrice)`;
/** CEL: as `isPricedAlike` does not. */
export const IS_CURRENT_CEL = `(has(${TERMS}.extension) && ${TERMS}.extension.price == 'Current')`;

/** Over the whole object: judged when hours or price change, and not when the operator writes the terms. */
export const AGREED_PRICE_CEL = {
  rule: `!has(${AGREED}) || !has(${TERMS}) || (${SAME_HOURS} && ${SAME_AGREED}) || ${IS_CURRENT_CEL} || ${samePriceCel(AGREED, `${TERMS}.price`)}`,
  messageExpression: `'${sentence('%s', '%s')}'.format([${priceCel(`${TERMS}.price`)}, ${priceCel(AGREED)}])`,
};
