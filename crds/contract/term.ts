/**
 * The term of a rental: when it ends, whether it is to be paused, renewed, warned about or ended. Pure; the
 * operator carries the verdict out through `term-steps.ts`.
 *
 *   end = first Active + durationHours (as far as they are agreed) + renewedHours + time paused by the provider
 *
 * A tenant's own power-off stops no clock. A pause by the provider does, and so the end moves by as much. At the
 * end the terms say: Terminate, or Pause for a grace in which an extension brings the machine back.
 */
import { Expiry } from '../offering.ts';
import type { PriceValue } from '../price.ts';
import type { LiveContract } from './contract.ts';
import { creditedMs, standsStill } from './credit.ts';
import { hoursOf, mayRenewAt } from './extension.ts';
import { HOUR_MS } from './numbers.ts';
import { refusalOfRenewal } from './renewal-limit.ts';

/** Where the terms say nothing. */
export const DEFAULT_EXPIRY: Expiry = Expiry.parse({});

export type TermVerdict =
  /** Nothing to do; undefined: only a change of the object can alter that. */
  | Readonly<{ type: 'Runs'; nextLookMs: number | undefined }>
  | Readonly<{ type: 'PauseByProvider' }>
  /** The provider let it go on, or an extension came within the grace. */
  | Readonly<{ type: 'Resume' }>
  | Readonly<{ type: 'Renew'; hours: number }>
  /** So many hours before the end; each is said once for one end. */
  | Readonly<{ type: 'Warn'; hours: number; reason: 'EndsSoon' | 'RenewalTooDear' }>
  /** The rental is over: stopped until `graceEndsAt`. */
  | Readonly<{ type: 'PauseAtEnd'; graceEndsAt: string }>
  | Readonly<{ type: 'End' }>;

/** End of the rental, if a pause by the provider is over `now`. Milliseconds since 1970; undefined before the first Active. */
export function endMsOf(contract: LiveContract, now: Date): number | undefined {
  const { status, spec } = contract;
  const rented = hoursOf(contract);
  if (!status.startsAt || rented === undefined) return undefined;
  // Stored by an API server that did not count renewals yet: together they stay within the terms too.
  const most = Math.max(rented, spec.termsSnapshot?.maxHours ?? Number.POSITIVE_INFINITY);
  const hours = Math.min(most, rented + (status.renewedHours ?? 0));
  return Date.parse(status.startsAt) + hours * HOUR_MS + creditedMs(status, now);
}

/** The end as people are told it: while its clock stands still, what it is if it goes on now. */
export function endsAtOf(contract: LiveContract, now: Date): string | undefined {
  const endMs = standsStill(contract.status) ? endMsOf(contract, now) : undefined;
  return endMs === undefined ? contract.status.endsAt : new Date(endMs).toISOString();
}

/** For Active and Paused. The first that applies, in the order in which a person would ask. */
export function judgeTerm(
  contract: LiveContract,
  { now, price }: Readonly<{ now: Date; price?: PriceValue | undefined }>,
): TermVerdict {
  const { status, spec } = contract;
  const endMs = endMsOf(contract, now);
  if (endMs === undefined) return { type: 'Runs', nextLookMs: undefined };
  const leftMs = endMs - now.getTime();
  const pauseAsked = spec.pause?.requested ?? false;
  if (status.phase === 'Paused' && status.graceEndsAt) return judgeGrace(contract, { leftMs, now });
  if (status.phase === 'Paused')
    return pauseAsked ? { type: 'Runs', nextLookMs: undefined } : { type: 'Resume' };
  if (leftMs <= 0) return judgeEnd(contract, { endMs, now, price });
  if (pauseAsked) return { type: 'PauseByProvider' };
  return judgeWarning(contract, { endMs, leftMs, price });
}

type Left = Readonly<{ leftMs: number; now: Date }>;

function judgeGrace({ status }: LiveContract, { leftMs, now }: Left): TermVerdict {
  if (leftMs > 0) return { type: 'Resume' };
  const graceMs = Date.parse(status.graceEndsAt ?? '') - now.getTime();
  return graceMs > 0 ? { type: 'Runs', nextLookMs: graceMs } : { type: 'End' };
}

function judgeEnd(
  contract: LiveContract,
  { endMs, now, price }: Readonly<{ endMs: number; now: Date; price: PriceValue | undefined }>,
): TermVerdict {
  const hours = renewalOf(contract, price);
  if (hours !== undefined) return { type: 'Renew', hours };
  const { action, graceHours } = contract.spec.termsSnapshot?.expiry ?? DEFAULT_EXPIRY;
  // From the end, not from now: an operator that was down for a day gives no second grace.
  const graceEndMs = endMs + graceHours * HOUR_MS;
  if (action === 'Pause' && graceEndMs > now.getTime())
    return { type: 'PauseAtEnd', graceEndsAt: new Date(graceEndMs).toISOString() };
  return { type: 'End' };
}

/** The hours of the next renewal; undefined when none is wanted, a cap would be passed or it is too dear. */
const renewalOf = (contract: LiveContract, price: PriceValue | undefined): number | undefined =>
  mayRenewAt(contract, price) ? wantedRenewalOf(contract) : undefined;

function wantedRenewalOf(contract: LiveContract): number | undefined {
  if (hoursOf(contract) === undefined) return undefined;
  return refusalOfRenewal(contract) ? undefined : contract.spec.autoRenew?.hours;
}

function judgeWarning(
  contract: LiveContract,
  { endMs, leftMs, price }: Readonly<{ endMs: number; leftMs: number; price: PriceValue | undefined }>,
): TermVerdict {
  const { status, spec } = contract;
  if (renewalOf(contract, price) !== undefined) return { type: 'Runs', nextLookMs: leftMs };
  const { warnHours } = spec.termsSnapshot?.expiry ?? DEFAULT_EXPIRY;
  const rentedMs = endMs - Date.parse(status.startsAt ?? '');
  const isSameEnd = status.warnedEndsAt !== undefined && Date.parse(status.warnedEndsAt) === endMs;
  const warned = isSameEnd ? (status.warnedHours ?? 0) : Number.POSITIVE_INFINITY;
  // A warning that would come with the order itself tells nobody anything.
  const wanted = warnHours.filter((hours) => hours < warned && hours * HOUR_MS < rentedMs);
  const due = wanted.filter((hours) => leftMs <= hours * HOUR_MS);
  const reason = wantedRenewalOf(contract) === undefined ? 'EndsSoon' : 'RenewalTooDear';
  if (due.length > 0) return { type: 'Warn', hours: Math.min(...due), reason };
  const nextMs = Math.min(leftMs, ...wanted.map((hours) => leftMs - hours * HOUR_MS));
  return { type: 'Runs', nextLookMs: nextMs };
}
