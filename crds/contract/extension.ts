/**
 * What added hours cost, and which of them are agreed. By the terms they cost the same as the others (`Same`), or
 * what the offering asks when they are added (`Current`). With `Current` a raised `spec.durationHours` is a wish:
 * it counts once its price is the one that the tenant agreed to, and `status.agreedHours` says how far it counts.
 * Before acceptance it is still the order, at the price of the terms. Pure; facade and operator ask the same rule.
 */

import { counted, wasOrWere } from '../../lib/counted.ts';
import { withCondition } from '../condition.ts';
import type { Offering } from '../offering.ts';
import { costsAtMost, type PriceValue, priceSentence, samePrice } from '../price.ts';
import { type AgreedHours, EXTENSIONS_MAX } from './agreed-hours.ts';
import { isPricedAlike, refusalOfPrice } from './agreed-price.ts';
import type { Contract, LiveContract, Ordered } from './contract.ts';
import { refusalOfTotal } from './extension-limit.ts';
import { withHistory } from './move.ts';
import { hasEnded } from './phase.ts';
import type { ContractSpec } from './spec.ts';
import type { ContractStatus } from './status.ts';

const EXTENSION_AGREED = 'ExtensionAgreed';
export const PRICE_NEXT = 'Look at what it costs now, and agree to that price or leave it as it is.';
const FULL = `it was extended at ${EXTENSIONS_MAX} different prices, which is as many as are kept`;

/** Is each extension agreed at its own price? From acceptance on. */
export const isPricedAnew = ({ status }: Contract): boolean => status?.agreedHours !== undefined;

/** The hours that count, renewals left out; undefined while nobody has said how many. */
export const hoursOf = ({ spec, status }: Ordered): number | undefined =>
  status?.agreedHours ?? spec.durationHours;

/**
 * What added hours cost now; undefined while there are no terms. An offering that is gone, is being deleted, or is
 * a namesake made later asks nothing any more: the terms stay.
 */
export function addedPriceOf(contract: Contract, offering: Offering | undefined): PriceValue | undefined {
  const terms = contract.spec.termsSnapshot;
  if (!terms || !isPricedAnew(contract)) return terms?.price;
  const isThere = offering?.metadata.uid === terms.offeringUID && !offering.metadata.deletionTimestamp;
  return isThere ? offering.spec.price : terms.price;
}

type Offer = Readonly<{
  price: PriceValue;
  /** What the tenant agreed to; when left out the price of the terms. */
  agreed?: PriceValue | undefined;
}>;

type Refusal = Readonly<{ code: 'PriceChanged' | 'IllegalMove'; message: string }>;

/** Why hours cannot be added at `price`; undefined when they can. The same words through API and YAML. */
export function refusalOfHours(contract: Contract, { price, agreed }: Offer): Refusal | undefined {
  const said = agreed ?? contract.spec.termsSnapshot?.price;
  const message = said && refusalOfPrice(price, said);
  if (message !== undefined) return { code: 'PriceChanged', message };
  const isFull = isPricedAnew(contract) && !recorded(contract.status, { hours: 1, price, at: '' });
  return isFull ? { code: 'IllegalMove', message: FULL } : undefined;
}

/** May it renew itself at `price`? Compared for the hours of one renewal, in one currency only. */
export function mayRenewAt(contract: Contract, price: PriceValue | undefined): boolean {
  const { autoRenew, termsSnapshot } = contract.spec;
  if (!autoRenew || !termsSnapshot || !price || !isPricedAnew(contract)) return true;
  const { hours, maxPrice: most = termsSnapshot.price } = autoRenew;
  return (
    costsAtMost(price, { most, hours }) && recorded(contract.status, { hours, price, at: '' }) !== undefined
  );
}

type Added = Readonly<{ hours: number; price: PriceValue; at: string }>;

/** The list with these hours in it; undefined when it is full. */
function recorded(status: ContractStatus | undefined, added: Added): AgreedHours[] | undefined {
  const list = status?.extensions ?? [];
  const last = list.at(-1);
  if (last && samePrice(last.price, added.price))
    return [...list.slice(0, -1), { ...added, seq: last.seq, hours: last.hours + added.hours }];
  return list.length < EXTENSIONS_MAX ? [...list, { seq: (last?.seq ?? 0) + 1, ...added }] : undefined;
}

/** The status with hours on record that a rental was given at an agreed price. Unchanged where terms say it all. */
export function withAddedHours(
  contract: LiveContract,
  { hours, price, now }: Readonly<{ hours: number; price: PriceValue | undefined; now: Date }>,
): ContractStatus {
  const { status } = contract;
  const extensions =
    isPricedAnew(contract) && price && recorded(status, { hours, price, at: now.toISOString() });
  return extensions ? { ...status, extensions } : status;
}

/** With the acceptance: the order, at the price of the terms. What is added from now on is agreed anew. */
export function withOrder(status: ContractStatus, spec: Partial<ContractSpec>): ContractStatus {
  const isCurrent = spec.termsSnapshot && !isPricedAlike(spec.termsSnapshot);
  if (!isCurrent || status.phase !== 'Accepted' || status.agreedHours !== undefined) return status;
  return spec.durationHours === undefined ? status : { ...status, agreedHours: spec.durationHours };
}

type Asked = Readonly<{ price: PriceValue | undefined; now: Date }>;

/** A raised duration counts when its price is agreed; else it is said, once for each pair of prices. */
export function settleExtension(contract: LiveContract, { price, now }: Asked): ContractStatus {
  const { spec, status } = contract;
  const { agreedHours } = status;
  const isOver = hasEnded(status.phase) || status.phase === 'Terminating';
  if (isOver || agreedHours === undefined || spec.durationHours === undefined || !price) return status;
  const hours = spec.durationHours - agreedHours;
  if (hours <= 0) return status;
  const refusal = beyondTerms(contract) ?? refusalOfHours(contract, { price, agreed: spec.agreedPrice });
  const known = status.conditions?.find(({ type }) => type === EXTENSION_AGREED);
  const reason = !refusal
    ? 'ExtensionAgreed'
    : refusal.code === 'PriceChanged'
      ? 'PriceChanged'
      : 'NotExtended';
  const message = refusal
    ? `${counted(hours, 'hour')} ${wasOrWere(hours)} not added: ${refusal.message}`
    : `${counted(hours, 'hour')} ${wasOrWere(hours)} added at ${priceSentence(price)}`;
  const settled = refusal
    ? status
    : { ...withAddedHours(contract, { hours, price, now }), agreedHours: spec.durationHours };
  if (refusal && known?.status === 'False' && known.message === message) return status;
  const next = { type: EXTENSION_AGREED, status: refusal ? 'False' : 'True', reason, message } as const;
  const said = { ...settled, conditions: withCondition(status.conditions, { next, now }) };
  return withHistory(said, { from: status.phase, to: status.phase, by: 'operator', reason, now });
}

/** A renewal may have come after the wish: hours that the terms do not give are not agreed, and not owed. */
function beyondTerms(contract: LiveContract): Refusal | undefined {
  const message = refusalOfTotal(contract, contract.spec.durationHours ?? 0);
  return message === undefined ? undefined : { code: 'IllegalMove', message };
}

/** What was said of the last extension, for people. */
export const extensionMessage = ({ conditions }: ContractStatus): string | undefined =>
  conditions?.find(({ type }) => type === EXTENSION_AGREED)?.message;
