/** What an answer of the facade means for a grant. Pure; the tables of answers are in crds/contract. */
import { ApiProblem, isPassing } from '../api-client.ts';

type Then = 'Continue' | 'Destroy';
export type Outcome<A> = Readonly<{ answer: A }> | Readonly<{ error: unknown }>;

/** `then` of a refusal, which stands in its data. */
export function thenOf(error: unknown): Then | undefined {
  if (!(error instanceof ApiProblem)) return undefined;
  const { data } = error;
  if (typeof data !== 'object' || data === null || !('then' in data)) return undefined;
  return data.then === 'Destroy' || data.then === 'Continue' ? data.then : undefined;
}

/** Extend: the lock goes on. Lapse: begin no step. Destroy: the epoch is dead. Retry: nobody knows; ask again. */
export type RenewalVerdict = 'Extend' | 'Lapse' | 'Destroy' | 'Retry';

/** Refusals after which asking again for the same epoch is no use. */
const LAPSED = new Set(['SessionSuperseded', 'NotFound', 'AgentRevoked', 'StaleEpoch', 'NotHolder']);

export function judgeRenewal(outcome: Outcome<Readonly<{ acquired: boolean; then: Then }>>): RenewalVerdict {
  if ('answer' in outcome) {
    if (outcome.answer.then === 'Destroy') return 'Destroy';
    return outcome.answer.acquired ? 'Extend' : 'Lapse';
  }
  if (thenOf(outcome.error) === 'Destroy') return 'Destroy';
  return outcome.error instanceof ApiProblem && LAPSED.has(outcome.error.code) ? 'Lapse' : 'Retry';
}

/** Settled: the report counts. Destroy: it can never. Retry: send it again. Ignore: reconcile will decide. */
export type ReportVerdict = 'Settled' | 'Destroy' | 'Retry' | 'Ignore';

/** Refusals of a report that stay whatever is done with the machine. */
const IGNORED = new Set([
  'NotFound',
  'IllegalMove',
  'StaleEpoch',
  'NotHolder',
  'ValidationFailed',
  'UnknownField',
]);

export function judgeReport(outcome: Outcome<Readonly<{ then: Then }>>): ReportVerdict {
  if ('answer' in outcome) return outcome.answer.then === 'Destroy' ? 'Destroy' : 'Settled';
  if (thenOf(outcome.error) === 'Destroy') return 'Destroy';
  if (isPassing(outcome.error)) return 'Retry';
  // A missing permission or a wrong clock is for a person to mend; the report must not be lost for it.
  return outcome.error instanceof ApiProblem && IGNORED.has(outcome.error.code) ? 'Ignore' : 'Retry';
}

/** Told: nobody waits for it any more. */
export function judgeConfirmation(outcome: Outcome<unknown>): 'Told' | 'Retry' {
  if ('answer' in outcome) return 'Told';
  return judgeReport({ error: outcome.error }) === 'Ignore' ? 'Told' : 'Retry';
}

/** The agent cannot go on at all: its key is dead, or a newer process of it took over. */
export const isFinal = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && (error.code === 'AgentRevoked' || error.code === 'SessionSuperseded');
