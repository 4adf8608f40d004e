/**
 * Everything that was given up on a contract, read from its own status: each end as Failed, and each holder that
 * went without a confirmation. Events, the metric and the rows of `dead_letters` are made from this one list, so
 * that they cannot disagree; a fact has the same key whenever and by whomever it is read.
 */
import { CAPACITY_RELEASES_MAX } from './numbers.ts';
import type { Abandoned, ContractStatus, HistoryEntry } from './status.ts';

/** Why a contract failed. Closed: it labels a metric. */
export const FAILURE_REASONS = [
  'AttemptsExhausted',
  'NoCapacity',
  'ConfigurationRefused',
  'DeadlineExceeded',
  'InstanceLost',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

export const GIVE_UP_REASONS = [...FAILURE_REASONS, 'DebtRecorded', 'ForceReleased', 'Other'] as const;
export type GiveUpReason = (typeof GIVE_UP_REASONS)[number];

export type GiveUp = Readonly<{
  key: string;
  reason: GiveUpReason;
  message: string;
  by: string;
  at: string;
}>;

export function giveUpsOf(status: ContractStatus): readonly GiveUp[] {
  const failures = (status.history ?? []).filter(({ from, to }) => to === 'Failed' && from !== to);
  return [
    ...failures.map((entry) => failureOf(status, entry)),
    ...(status.abandoned ?? []).map((entry) => abandonmentOf(entry)),
  ];
}

/** In words for the tenant: no agent, no pool, no machine of the provider's. */
export function failureMessage(
  reason: FailureReason,
  { failures = 0, provisionBy, startsAt }: Pick<ContractStatus, 'failures' | 'provisionBy' | 'startsAt'>,
): string {
  const anew = startsAt === undefined ? '' : ' anew';
  switch (reason) {
    case 'AttemptsExhausted':
      return failures === 1
        ? `The only try to build it${anew} failed`
        : `All ${failures} tries to build it${anew} failed`;
    case 'NoCapacity':
      return `No machine had room for it in ${CAPACITY_RELEASES_MAX} tries`;
    case 'ConfigurationRefused':
      return "The offering's own settings do not work, so no other try would help";
    case 'DeadlineExceeded':
      return `It could not be built${anew} in time, which was until ${provisionBy ?? 'an unknown time'}`;
    case 'InstanceLost':
      return 'The machine is lost, and the offering has no other in its place';
  }
}

export const isFailureReason = (reason: string | undefined): reason is FailureReason =>
  FAILURE_REASONS.some((known) => known === reason);

/** The message of the status is about its last move; earlier ones are told by their reason. */
function failureOf(status: ContractStatus, entry: HistoryEntry): GiveUp {
  const { seq, at, by, reason } = entry;
  const isLast = seq === status.history?.at(-1)?.seq;
  const known = isFailureReason(reason) ? reason : 'Other';
  return { key: `Failed/${seq}/${at}`, reason: known, message: (isLast && status.message) || reason, by, at };
}

function abandonmentOf({ agent, agentUID, epoch, how, at, by, onBehalfOf, reason }: Abandoned): GiveUp {
  const what = `${agent} never confirmed that its machine of epoch ${epoch} is gone`;
  const who = onBehalfOf ? `${by} for ${onBehalfOf}` : by;
  return how === 'Debt'
    ? {
        key: `Debt/${agentUID}/${epoch}`,
        reason: 'DebtRecorded',
        message: `${what}; it owes that now`,
        by,
        at,
      }
    : {
        key: `Forced/${agentUID}/${epoch}`,
        reason: 'ForceReleased',
        message: `${what}; released by ${who}: ${reason ?? ''}`,
        by: who,
        at,
      };
}
