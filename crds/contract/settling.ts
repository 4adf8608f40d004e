/**
 * How a verdict of a rule becomes an answer, as a pure step: decide, compare-and-swap, on a conflict read live and
 * decide again. What makes somebody destroy, stop or confirm is only answered when it was decided on a live read.
 * Whoever drives it (the facade with a client, the explorer with a world of its own) brings only the reads and
 * the write. Source: docs/contract.md, "The lock", 5.
 *
 *   begin ──► settleStep ──► Answer · Refuse · GiveUp
 *                │  ▲
 *                ├──┼─ Write    (written: its answer counts; lost a race: lostRace)
 *                └──┴─ ReadLive (readLive)
 */
import { type Contract, isLive, type LiveContract } from './contract.ts';
import { requireMove } from './phase.ts';
import type { Refusal, Verdict } from './verdict.ts';

/** As many lost races as one call takes part in. */
export const CONFLICTS_MAX = 6;

export type Settling = Readonly<{
  /** As it was read; its resourceVersion is what the write carries. */
  contract: Contract;
  /** False: it came from a cache. */
  isLiveRead: boolean;
  conflicts: number;
}>;

export type Rule<A> = (contract: LiveContract) => Verdict<A>;

export type SettleStep<A> =
  /** One PUT of `/status`: `contract` has the next status and the resourceVersion that was read. */
  | Readonly<{ next: 'Write'; contract: LiveContract; answer: A }>
  | Readonly<{ next: 'Answer'; contract: LiveContract; answer: A }>
  | Readonly<{ next: 'Refuse'; refusal: Refusal }>
  | Readonly<{ next: 'ReadLive' }>
  | Readonly<{ next: 'GiveUp' }>;

export const beginSettling = (cached: Contract): Settling => ({
  contract: cached,
  isLiveRead: false,
  conflicts: 0,
});

/** Somebody wrote in between; the next step asks for a live read. */
export const lostRace = (state: Settling): Settling => ({
  ...state,
  isLiveRead: false,
  conflicts: state.conflicts + 1,
});

export const readLive = (state: Settling, contract: Contract): Settling => ({
  ...state,
  contract,
  isLiveRead: true,
});

export function settleStep<A>({ contract, isLiveRead, conflicts }: Settling, rule: Rule<A>): SettleStep<A> {
  if (conflicts >= CONFLICTS_MAX) return { next: 'GiveUp' };
  if (conflicts > 0 && !isLiveRead) return { next: 'ReadLive' };
  if (!isLive(contract)) return isLiveRead ? { next: 'Refuse', refusal: NOT_SEEN_YET } : { next: 'ReadLive' };
  const verdict = rule(contract);
  if (verdict.outcome === 'Write') {
    requireMove('facade', { from: contract.status.phase, to: verdict.status.phase });
    return { next: 'Write', contract: { ...contract, status: verdict.status }, answer: verdict.answer };
  }
  if (!isLiveRead && needsLiveRead(verdict)) return { next: 'ReadLive' };
  return verdict.outcome === 'Answer'
    ? { next: 'Answer', contract, answer: verdict.answer }
    : { next: 'Refuse', refusal: verdict };
}

/**
 * What makes somebody destroy, stop or confirm; and "cannot be claimed", which a cache that lags behind the
 * replica that offered the contract would say too early.
 */
const needsLiveRead = (verdict: Exclude<Verdict<unknown>, { outcome: 'Write' }>): boolean =>
  verdict.final || (verdict.outcome === 'Refused' && verdict.code === 'LockNotAvailable');

const NOT_SEEN_YET: Refusal = {
  outcome: 'Refused',
  code: 'LockNotAvailable',
  message: 'The operator has not seen this contract yet.',
  next: 'Poll again in a second.',
  final: false,
};
