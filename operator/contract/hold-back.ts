/**
 * What is not decided before this leader has compared etcd with PostgreSQL: the cluster may be an older one, whose
 * deadlines passed long ago. Contracts are accepted, granted and become Active, and what a person wishes ends them;
 * nothing ends, moves, becomes a debt, is archived or let go for any other reason. Source: docs/contract.md, 12.
 */
import { isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { endWish } from '../../crds/contract/wishes.ts';
import type { Action, Decision, Facts } from './facts.ts';

const LOOK_AGAIN_MS = 2_000;

export function holdBack(decision: Decision, { contract }: Facts): Decision {
  if (!isLive(contract)) return decision;
  const { phase } = contract.status;
  const to = decision.status?.phase ?? phase;
  const isHarmless =
    to === phase ||
    to === 'Active' ||
    (to === 'Accepted' && phase !== 'Active' && phase !== 'Provisioned' && !supersedes(decision, contract)) ||
    (phase === 'Terminating' && hasEnded(to)) ||
    (endWish(contract) !== undefined && (to === 'Terminating' || to === 'Cancelled'));
  const forgets = [...decision.before, ...decision.after].some(isForgetting);
  if (isHarmless && !forgets) return decision;
  // A unit that is free is sold again all the same.
  const before = [...decision.before, ...decision.after].filter(({ type }) => type === 'ReleaseStock');
  return { before, status: contract.status, after: [], requeueAfterMs: LOOK_AGAIN_MS };
}

/** An attempt that is ended, unlike an expiry: what was built in a later world would be destroyed for it. */
const supersedes = ({ status }: Decision, contract: LiveContract): boolean =>
  contract.status.phase === 'Provisioning' && (status?.epoch ?? 0) > contract.status.epoch;

const isForgetting = (action: Action): boolean => {
  switch (action.type) {
    case 'Archive':
    case 'RemoveFinalizer':
    case 'Delete':
      return true;
    case 'RecordDebt':
      return action.how === 'Debt';
    default:
      return false;
  }
};
