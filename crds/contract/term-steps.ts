/** What the operator does about the term of a rental, as pure steps: each takes a contract and gives its next status. */
import type { PriceValue } from '../price.ts';
import type { LiveContract } from './contract.ts';
import { standsStill, withPauseCredited } from './credit.ts';
import { withAddedHours } from './extension.ts';
import { move, withHistory } from './move.ts';
import type { ContractStatus } from './status.ts';
import { terminate } from './steps.ts';
import { endMsOf } from './term.ts';

const OPERATOR = 'operator';

/** The end as people read it; kept in status so that it is shown. None while its clock stands still: any would be too early. */
export function withEnd(contract: LiveContract, now: Date): ContractStatus {
  const { endsAt: known, ...status } = contract.status;
  if (standsStill(contract.status)) return known === undefined ? contract.status : status;
  const endMs = endMsOf(contract, now);
  if (endMs === undefined) return contract.status;
  const endsAt = new Date(endMs).toISOString();
  return known === endsAt ? contract.status : { ...status, endsAt };
}

/** By the provider: the clock of the rental stands still until it goes on. */
export function pauseByProvider({ status, spec, ...rest }: LiveContract, now: Date): ContractStatus {
  const why = spec.pause?.reason ? `: ${spec.pause.reason}` : '';
  const paused = move(status, {
    to: 'Paused',
    by: OPERATOR,
    reason: 'PausedByProvider',
    message: `Paused by the provider${why}; the time is credited`,
    now,
  });
  return withEnd({ ...rest, spec, status: { ...paused, pausedAt: now.toISOString() } }, now);
}

/** The rental is over and its machine is stopped; an extension until `graceEndsAt` brings it back. */
export function pauseAtEnd(
  { status }: LiveContract,
  { graceEndsAt, now }: Readonly<{ graceEndsAt: string; now: Date }>,
): ContractStatus {
  const paused = move(status, {
    to: 'Paused',
    by: OPERATOR,
    reason: 'DurationEnded',
    message: `The rental ended at ${status.endsAt ?? ''}; extend it by ${graceEndsAt} to keep the machine`,
    now,
  });
  return { ...paused, pausedAt: now.toISOString(), graceEndsAt };
}

/** Goes on. Time paused by the provider is credited to the end; time in the grace is not. */
export function resume({ status, spec, ...rest }: LiveContract, now: Date): ContractStatus {
  const { pausedAt, graceEndsAt, ...running } = withPauseCredited(status, now);
  const wasEnded = graceEndsAt !== undefined;
  const resumed = move(running, {
    to: 'Active',
    by: OPERATOR,
    reason: wasEnded ? 'Extended' : 'Resumed',
    message: status.endpoint ? `Reachable at ${status.endpoint}` : 'It goes on',
    now,
  });
  return withEnd({ ...rest, spec, status: resumed }, now);
}

type Said = Readonly<{ reason: string; message: string; now: Date }>;

/** It runs no more: a pause that went on until now is credited, so that what is left of it is not too little. */
export function endTerm({ status, spec, ...rest }: LiveContract, said: Said): ContractStatus {
  const over = terminate(withPauseCredited(status, said.now), said);
  return withEnd({ ...rest, spec, status: over }, said.now);
}

/** `hours` more, as spec.autoRenew wants; at what price is recorded where the terms do not say it. */
export function renewTerm(
  { status: before, spec, ...rest }: LiveContract,
  { hours, now, price }: Readonly<{ hours: number; now: Date; price?: PriceValue | undefined }>,
): ContractStatus {
  const status = withAddedHours({ ...rest, spec, status: before }, { hours, price, now });
  const renewed = { ...status, renewedHours: (status.renewedHours ?? 0) + hours };
  const entry = { from: status.phase, to: status.phase, by: OPERATOR, reason: 'Renewed', now } as const;
  return withEnd({ ...rest, spec, status: withHistory(renewed, entry) }, now);
}

/** Says once that the end is near: the history carries it to Events and to the tenant's event stream. */
export function warnOfEnd(
  contract: LiveContract,
  { hours, reason, now }: Readonly<{ hours: number; reason: 'EndsSoon' | 'RenewalTooDear'; now: Date }>,
): ContractStatus {
  const status = withEnd(contract, now);
  const entry = { from: status.phase, to: status.phase, by: OPERATOR, reason, now } as const;
  const warned = { ...withHistory(status, entry), warnedHours: hours };
  return status.endsAt === undefined ? warned : { ...warned, warnedEndsAt: status.endsAt };
}
