/**
 * Whether a contract could renew itself even once more: `autoRenew` that its terms or its own cap can never let happen
 * is refused, not kept in silence. One rule in one sentence for the API, the operator (what comes with an order by
 * YAML) and the API server (what YAML changes later). Pure.
 */
import { counted } from '../../lib/counted.ts';
import type { Ordered } from './contract.ts';
import { hoursOf } from './extension.ts';
import { hoursLeft } from './extension-limit.ts';
import type { ContractSpec } from './spec.ts';

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
    return { message: sentence(`${after}`, `${BY_TERMS} ${most}`), next };
  }
  if (after > autoRenew.maxHours)
    return {
      message: sentence(`${after}`, `${BY_CAP} ${autoRenew.maxHours}`),
      next: `Set autoRenew.maxHours to ${after} or more, or renew it by less.`,
    };
  return undefined;
}

type AutoRenew = ContractSpec['autoRenew'];

/** Only what is changed is judged: a cap that was used up stays as it is. */
export const sameRenewal = (a: AutoRenew, b: AutoRenew): boolean =>
  a?.hours === b?.hours && a?.maxHours === b?.maxHours;

const BY_TERMS = 'the terms allow';
const BY_CAP = 'autoRenew.maxHours allows';
const sentence = (after: string, most: string): string =>
  `it would never renew itself: one renewal makes it ${after} hours, and ${most} at most`;

const RENEWAL = 'self.spec.autoRenew';
const OLD = 'oldSelf.spec.autoRenew';
const TERMS = 'self.spec.termsSnapshot';
const RENTED =
  '(has(self.status) && has(self.status.agreedHours) ? self.status.agreedHours : self.spec.durationHours)';
const RENEWED = '(has(self.status) && has(self.status.renewedHours) ? self.status.renewedHours : 0)';
const AFTER = `${RENTED} + ${RENEWED} + ${RENEWAL}.hours`;
const FITS_TERMS = `(!has(${TERMS}) || !has(${TERMS}.maxHours) || ${AFTER} <= ${TERMS}.maxHours)`;
const IS_AS_BEFORE = `(has(${OLD}) && ${RENEWAL}.hours == ${OLD}.hours && ${RENEWAL}.maxHours == ${OLD}.maxHours)`;

/** Over the whole object: what was renewed is in its status. */
export const RENEWAL_CEL = {
  rule: `!has(${RENEWAL}) || ${IS_AS_BEFORE} || !has(self.spec.durationHours) || (${FITS_TERMS} && ${AFTER} <= ${RENEWAL}.maxHours)`,
  messageExpression:
    `!${FITS_TERMS} ? '${sentence('%d', `${BY_TERMS} %d`)}'.format([${AFTER}, ${TERMS}.maxHours])` +
    ` : '${sentence('%d', `${BY_CAP} %d`)}'.format([${AFTER}, ${RENEWAL}.maxHours])`,
};
