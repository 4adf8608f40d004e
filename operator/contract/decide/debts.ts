/**
 * Holders that go without a confirmation. One that stays silent for 24 hours, while its epoch is superseded or the
 * contract ends, becomes a debt of its Agent: written there first, then taken off the contract. One that a person
 * releases by force goes at once, in the same order. docs/contract.md, 7.
 */
import { forcedHolders } from '../../../crds/contract/forced.ts';
import { sameGrant } from '../../../crds/contract/move.ts';
import { DEBT_AFTER_MS } from '../../../crds/contract/numbers.ts';
import type { ContractStatus, Holder } from '../../../crds/contract/status.ts';
import { type Abandonment, abandon, phaseSince } from '../../../crds/contract/steps.ts';
import type { Decision, LiveFacts } from '../facts.ts';

/** The decision with the holders that are to go; looks again when the next one falls due. */
export function settleDebts({ contract, now }: LiveFacts, decision: Decision): Decision {
  const { status, spec } = contract;
  const forced = forcedHolders(spec, status).map(
    ({ holder, wish: { by, onBehalfOf, reason } }): Abandonment => ({
      holder,
      how: 'Forced',
      by,
      reason,
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    }),
  );
  const silent = (status.holders ?? [])
    .filter((holder) => !forced.some((other) => sameGrant(holder, other.holder)))
    .flatMap((holder) => {
      const since = silentSince(holder, status);
      return since === undefined
        ? []
        : [{ holder, leftMs: Date.parse(since) + DEBT_AFTER_MS - now.getTime() }];
    });
  const due = silent
    .filter(({ leftMs }) => leftMs <= 0)
    .map(({ holder }): Abandonment => ({ holder, how: 'Debt', by: 'operator' }));
  const gone = [...forced, ...due];
  const nextMs = Math.min(...silent.map(({ leftMs }) => leftMs).filter((ms) => ms > 0));
  const requeueAfterMs = Math.min(nextMs, decision.requeueAfterMs ?? Number.POSITIVE_INFINITY);
  return {
    ...decision,
    before: [
      ...decision.before,
      ...gone.map(({ holder, how }) => ({ type: 'RecordDebt', holder, how }) as const),
    ],
    status: decision.status && abandon(decision.status, { gone, now }),
    requeueAfterMs: Number.isFinite(requeueAfterMs) ? requeueAfterMs : undefined,
  };
}

/** Since when this entry should have been confirmed; undefined while it is in its right. */
function silentSince(holder: Holder, status: ContractStatus): string | undefined {
  if (status.phase === 'Terminating') return phaseSince(status, 'Terminating');
  if (holder.epoch >= status.epoch) return undefined;
  const attempt = status.attempts?.find((entry) => sameGrant(entry, holder));
  // What ran for days is superseded since it was moved or built anew, not since it was built.
  const left = status.history?.findLast(({ from, to }) => from === 'Active' && to === 'Accepted')?.at;
  if (attempt?.outcome === 'Succeeded' && left !== undefined) return left;
  return attempt?.endedAt ?? status.history?.at(0)?.at;
}
