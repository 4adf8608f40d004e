/**
 * Whom the next attempt passes over. An agent that said `permanent` or `configuration` is not asked again in this
 * round; one whose attempt failed otherwise lets the others go first, but only while there is another that could
 * try and has not failed, and never longer than a head start: so no contract waits for somebody who never comes.
 * A round begins with the acceptance, the provider's retry, or the loss of a machine. docs/contract.md, 8.
 */
import { FAILED_BEFORE_HEAD_START_MS } from './numbers.ts';
import type { Attempt, ContractStatus } from './status.ts';

/** Refused for as long as it is remembered; or until an instant. */
export type PassedOver = Readonly<
  { reason: 'FailedForGood'; message: string } | { reason: 'FailedBefore'; message: string; until: string }
>;

type Facts = Readonly<{
  agentUID: string;
  /** Whether another agent could try now that has not failed; asked only where it decides. */
  othersCouldTry: () => boolean;
  now: Date;
}>;

export function passedOver(status: ContractStatus, facts: Facts): PassedOver | undefined {
  const { agentUID, othersCouldTry, now } = facts;
  const final = finalWordOf(status, agentUID);
  if (final)
    return {
      reason: 'FailedForGood',
      message: `its attempt of epoch ${final.epoch} said so: ${final.class}`,
    };
  const failed = failuresOf(status, agentUID).at(-1);
  const last = attemptsOfRound(status).at(-1);
  if (!failed || !last || holdsTakeover(status, agentUID)) return undefined;
  const fromMs = Math.max(Date.parse(last.endedAt), Date.parse(status.nextAttemptAt ?? last.endedAt));
  const untilMs = fromMs + FAILED_BEFORE_HEAD_START_MS;
  if (now.getTime() >= untilMs || !othersCouldTry()) return undefined;
  const until = new Date(untilMs).toISOString();
  return {
    reason: 'FailedBefore',
    message: `its attempt of epoch ${failed.epoch} failed; others go first until ${until}`,
    until,
  };
}

/** Of an earlier round nothing counts any more. */
export const attemptsOfRound = ({ attempts = [], attemptsFrom = 0 }: ContractStatus): readonly Attempt[] =>
  attempts.filter(({ epoch }) => epoch >= attemptsFrom);

/** Whether an attempt of the agent failed in this round, in whatever way. */
export const hasFailed = (status: ContractStatus, agentUID: string): boolean =>
  failuresOf(status, agentUID).length > 0;

/** The attempt after which this agent is not asked again in this round. */
export const finalWordOf = (status: ContractStatus, agentUID: string): Attempt | undefined =>
  failuresOf(status, agentUID).find(
    (attempt) => attempt.class === 'permanent' || attempt.class === 'configuration',
  );

/** Agents that found the contract's own configuration wrong. */
export const configurationRefusers = (status: ContractStatus): readonly string[] => [
  ...new Set(
    attemptsOfRound(status)
      .filter((attempt) => attempt.outcome === 'Failed' && attempt.class === 'configuration')
      .map(({ agentUID }) => agentUID),
  ),
];

/** "No room" is no attempt that counts, but reason enough to ask somebody else first. */
const failuresOf = (status: ContractStatus, agentUID: string): readonly Attempt[] =>
  attemptsOfRound(status).filter(
    (attempt) =>
      attempt.agentUID === agentUID &&
      (attempt.outcome === 'Released' ? attempt.class === 'capacity' : attempt.outcome !== 'Succeeded'),
  );

/** After an expiry the one that held goes first, whatever else happened. */
const holdsTakeover = (status: ContractStatus, agentUID: string): boolean => {
  const last = status.attempts?.at(-1);
  return last?.outcome === 'Expired' && last.epoch === status.epoch && last.agentUID === agentUID;
};
