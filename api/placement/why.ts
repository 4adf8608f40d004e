/** Why a contract waits, found out when somebody asks. Undefined of what waits for no agent. */
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { isUsedUp } from '../../crds/contract/eligibility.ts';
import { endWish } from '../../crds/contract/wishes.ts';
import { tenantMessageUntil } from '../../crds/placement/deadline.ts';
import { type Explanation, explain } from '../../crds/placement/explain.ts';
import { whatHelps } from '../../crds/placement/helps.ts';
import type { Placement } from '../../crds/placement/place.ts';
import { providerView, tenantView } from '../../crds/placement/views.ts';
import { waitingSinceMs } from '../../crds/placement/waiting.ts';
import type { PlacementView, WaitingView } from '../../crds/wire/waiting.ts';
import type { Deps } from '../deps.ts';

type Needs = Pick<Deps, 'placements' | 'caches'>;
type Why = Readonly<{ placement: Placement; explanation: Explanation; ahead: number; waiting: number }>;

/** The one sentence for its tenant. */
export function tenantMessageOf(deps: Needs, contract: Contract, now: Date): string | undefined {
  const why = whyWaits(deps, contract);
  return why && tenantMessageUntil(why.explanation, { ...contract.status, now });
}

export function waitingViewOf(deps: Needs, contract: Contract): WaitingView | undefined {
  const why = whyWaits(deps, contract);
  if (!why) return undefined;
  const { placement, explanation, ahead } = why;
  const { reasons, againAt } = tenantView(placement);
  return { reason: explanation.reason, ahead, reasons: [...reasons], againAt };
}

export function placementViewOf(deps: Needs, contract: Contract): PlacementView | undefined {
  const why = whyWaits(deps, contract);
  if (!why) return undefined;
  const { placement, explanation, ahead, waiting } = why;
  const { candidates, passedOver, againAt } = providerView(placement, {
    waitingSinceMs: waitingSinceMs(contract),
  });
  const { reason, message } = explanation;
  return {
    ...{ reason, message, ahead, waiting, againAt },
    candidates: [...candidates],
    passedOver: [...passedOver],
    whatHelps: placement.candidates.length > 0 ? [] : whatHelps(placement),
  };
}

function whyWaits({ placements, caches }: Needs, contract: Contract): Why | undefined {
  if (!isLive(contract) || contract.status.phase !== 'Accepted' || !contract.spec.termsSnapshot)
    return undefined;
  if (endWish(contract) || isUsedUp(contract)) return undefined; // it waits for its end
  const placement = placements.of(contract);
  const { ahead, waiting } = caches.contracts.placeInQueue(contract.metadata.uid ?? '') ?? {
    ahead: 0,
    waiting: 1,
  };
  return { placement, explanation: explain(placement), ahead, waiting };
}
