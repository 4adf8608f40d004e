/**
 * What earlier attempts of a round say of an agent. One that said `permanent` or `configuration` is not asked again
 * in it; one whose attempt failed otherwise lets others go first for a while (`crds/placement/place.ts`).
 * A round begins with the acceptance, the provider's retry, or the loss of a machine. docs/contract.md, 8.
 */
import type { Attempt, ContractStatus } from './status.ts';

/** Of an earlier round nothing counts any more. */
export const attemptsOfRound = ({ attempts = [], attemptsFrom = 0 }: ContractStatus): readonly Attempt[] =>
  attempts.filter(({ epoch }) => epoch >= attemptsFrom);

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

/** How often an agent gave the contract back in this round, without a word about room; of everybody without an agent. */
export const gaveBack = (round: readonly Attempt[], agentUID?: string): number =>
  round.filter(
    (attempt) =>
      attempt.outcome === 'Released' &&
      attempt.class !== 'capacity' &&
      (agentUID === undefined || attempt.agentUID === agentUID),
  ).length;
