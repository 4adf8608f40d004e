/**
 * Why an accepted contract waits. The condition and `status.scheduling` are for the provider and name machines;
 * reason and message of the status are for the tenant and name none. Nothing is written while somebody may build it,
 * and else only what is new: a market that is full must not write all day.
 *
 *   nobody may → somebody may     at once
 *   somebody may → nobody may     at once, 5 s after the other at the earliest: room that is there for a blink
 *                                 would cost all that wait two writes; counts and examples follow
 *   other counts, other examples  30 s after the last ones
 */
import { isDeepStrictEqual } from 'node:util';
import { withCondition } from '../../../crds/condition.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import { deadline } from '../../../crds/contract/steps.ts';
import { tenantMessageUntil } from '../../../crds/placement/deadline.ts';
import type { Explanation } from '../../../crds/placement/explain.ts';
import type { Action, LiveFacts } from '../facts.ts';

const SCHEDULING_EVERY_MS = 30_000;
const BLINK_MS = 5_000;
/** Nobody for so long: an Event and a metric, for whoever can do something about it. */
export const STUCK_AFTER_MS = 120_000;

const MESSAGE_MAX = 2000;
const CONDITION = 'Schedulable';

export type Waiting = Readonly<{
  status: ContractStatus;
  after: readonly Action[];
  /** When it may be said anew, or has been so for too long; undefined: only an event changes it. */
  nextMs: number | undefined;
}>;

/** What a status says that is accepted now; with the reasons at once where nobody can take it. */
export const saidAtFirst = (
  { outlook: { why }, now }: Pick<LiveFacts, 'outlook' | 'now'>,
  { provisionBy, startsAt }: Pick<ContractStatus, 'provisionBy' | 'startsAt'> = {},
) => ({
  reason: why.reason,
  message: tenantMessageUntil(why, { provisionBy: provisionBy ?? deadline(now), startsAt, now }),
});
export const acceptedWith = (
  status: ContractStatus,
  { outlook: { why }, now }: Pick<LiveFacts, 'outlook' | 'now'>,
): ContractStatus => (why.schedulable ? status : unschedulable(status, { why, now }));

export function explainWaiting({ contract: { status }, outlook: { why }, now }: LiveFacts): Waiting {
  const nowMs = now.getTime();
  const next = why.schedulable ? schedulable(status, { why, now }) : noLonger(status, { why, now });
  const isNews = !isDeepStrictEqual(timeless(next), timeless(status));
  const restMs = isNews && !why.schedulable ? tellsAgainMs(status) - nowMs : 0;
  const said = isNews && restMs <= 0 ? next : status;
  const waits = [restMs, (why.againAtMs ?? 0) - nowMs];
  const since = why.schedulable ? undefined : stuckSince(said);
  const isStuck = since !== undefined && nowMs >= Date.parse(since) + STUCK_AFTER_MS;
  if (since !== undefined && !isStuck) waits.push(Date.parse(since) + STUCK_AFTER_MS - nowMs);
  const ahead = waits.filter((ms) => ms > 0);
  return {
    status: said,
    after: isStuck ? [{ type: 'TellStuck', reason: why.reason, message: why.message, since }] : [],
    nextMs: ahead.length > 0 ? Math.min(...ahead) : undefined,
  };
}

type Found = Readonly<{ why: Explanation; now: Date }>;

/** Shortly after somebody could, only that nobody can: counts and examples may have been written just before. */
function noLonger(status: ContractStatus, { why, now }: Found): ContractStatus {
  const could = couldSince(status);
  const fullAtMs = could === undefined ? 0 : Date.parse(could) + SCHEDULING_EVERY_MS;
  if (could === undefined || now.getTime() >= fullAtMs) return unschedulable(status, { why, now });
  const [message = ''] = why.message.split(/:?\n/, 1);
  const said = unschedulable(status, { why: { ...why, message, counts: [], examples: [] }, now });
  return { ...said, scheduling: { reason: why.reason, counts: [], examples: [], at: could } };
}

function unschedulable(status: ContractStatus, { why, now }: Found): ContractStatus {
  const { reason, counts, examples, message } = why;
  const next = { type: CONDITION, status: 'False', reason, message } as const;
  return {
    ...status,
    reason,
    message: toTenant(why, { status, now }),
    conditions: withCondition(status.conditions, { next, now }),
    scheduling: { reason, counts: [...counts], examples: [...examples], at: now.toISOString() },
  };
}

/** Only where it was said that nobody can: a contract that waits in line costs no write. */
function schedulable(status: ContractStatus, { why, now }: Found): ContractStatus {
  const condition = status.conditions?.find(({ type }) => type === CONDITION);
  if (condition?.status !== 'False') return status;
  const { reason, message } = why;
  const next = { type: CONDITION, status: 'True', reason, message } as const;
  const { scheduling: _over, ...rest } = status;
  const conditions = withCondition(status.conditions, { next, now });
  return { ...rest, reason, message: toTenant(why, { status, now }), conditions };
}

const toTenant = (
  why: Explanation,
  { status, now }: Readonly<{ status: ContractStatus; now: Date }>,
): string => tenantMessageUntil(why, { ...status, now }).slice(0, MESSAGE_MAX);

/** When it was found is no news. */
const timeless = ({ scheduling, ...status }: ContractStatus) => ({
  ...status,
  scheduling: scheduling && { ...scheduling, at: undefined },
});

/** When it may be said, at the earliest, that nobody can, or for what other reasons. */
function tellsAgainMs(status: ContractStatus): number {
  const could = couldSince(status);
  if (could !== undefined) return Date.parse(could) + BLINK_MS;
  return status.scheduling ? Date.parse(status.scheduling.at) + SCHEDULING_EVERY_MS : 0;
}

/** Since when it is said that somebody can, after it was said that nobody could. */
const couldSince = ({ conditions }: ContractStatus): string | undefined =>
  conditions?.find(({ type, status }) => type === CONDITION && status === 'True')?.lastTransitionTime;

const stuckSince = ({ conditions }: ContractStatus): string | undefined =>
  conditions?.find(({ type, status }) => type === CONDITION && status === 'False')?.lastTransitionTime;
