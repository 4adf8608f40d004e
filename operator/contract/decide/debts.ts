/**
 * A holder that has not confirmed absence for 24 hours, while its epoch is superseded or the contract ends,
 * becomes a debt of its Agent: written there first, then taken off the contract. docs/contract.md, 7.
 */
import { sameGrant } from '../../../crds/contract/move.ts';
import { DEBT_AFTER_MS } from '../../../crds/contract/numbers.ts';
import type { ContractStatus, Holder } from '../../../crds/contract/status.ts';
import { phaseSince, withoutDebtors } from '../../../crds/contract/steps.ts';
import type { Decision, LiveFacts } from '../facts.ts';

/** The decision with the debts that fell due; looks again when the next one does. */
export function settleDebts({ contract, now }: LiveFacts, decision: Decision): Decision {
  const { status } = contract;
  const silent = (status.holders ?? []).flatMap((holder) => {
    const since = silentSince(holder, status);
    return since === undefined ? [] : [{ holder, leftMs: Date.parse(since) + DEBT_AFTER_MS - now.getTime() }];
  });
  const due = silent.filter(({ leftMs }) => leftMs <= 0).map(({ holder }) => holder);
  const nextMs = Math.min(...silent.map(({ leftMs }) => leftMs).filter((ms) => ms > 0));
  const requeueAfterMs = Math.min(nextMs, decision.requeueAfterMs ?? Number.POSITIVE_INFINITY);
  return {
    ...decision,
    before: [...decision.before, ...due.map((holder) => ({ type: 'RecordDebt', holder }) as const)],
    status: decision.status && due.length > 0 ? withoutDebtors(decision.status, due) : decision.status,
    requeueAfterMs: Number.isFinite(requeueAfterMs) ? requeueAfterMs : undefined,
  };
}

/** Since when this entry should have been confirmed; undefined while it is in its right. */
function silentSince(holder: Holder, status: ContractStatus): string | undefined {
  if (status.phase === 'Terminating') return phaseSince(status, 'Terminating');
  if (holder.epoch >= status.epoch) return undefined;
  const ended = status.attempts?.find((attempt) => sameGrant(attempt, holder))?.endedAt;
  return ended ?? status.history?.at(0)?.at;
}
