/**
 * What happens next to one contract: same facts, same decision. One function a stage of life, in `decide/`.
 * The moves themselves are steps of `crds/contract/`; here is only which of them, and when.
 */
import { type Contract, isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { addedPriceOf, settleExtension, withOrder } from '../../crds/contract/extension.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { withAttended } from './attended.ts';
import { decideAccepted } from './decide/accepted.ts';
import { decideEnded } from './decide/ended.ts';
import { decideProvisioned } from './decide/provisioned.ts';
import { decideProvisioning } from './decide/provisioning.ts';
import { decideNew, decideRequested } from './decide/requested.ts';
import { decideRunning } from './decide/running.ts';
import { decideTerminating } from './decide/terminating.ts';
import type { Decision, Facts, LiveFacts } from './facts.ts';
import { holdBack } from './hold-back.ts';

const BY_PHASE = {
  Requested: decideRequested,
  Accepted: decideAccepted,
  Provisioning: decideProvisioning,
  Provisioned: decideProvisioned,
  Active: decideRunning,
  Paused: decideRunning,
  Terminating: decideTerminating,
  Rejected: decideEnded,
  Cancelled: decideEnded,
  Expired: decideEnded,
  Failed: decideEnded,
} as const satisfies Record<ContractPhase, (facts: LiveFacts) => Decision>;

export function decide(facts: Facts): Decision {
  const { contract, isWorldCertain = true } = facts;
  if (!isLive(contract)) return withOrdered(decideNew(facts), contract);
  const price = addedPriceOf(contract, facts.offering);
  const settled = { ...contract, status: settleExtension(contract, { price, now: facts.now }) };
  const next = withOrdered(BY_PHASE[contract.status.phase]({ ...facts, contract: settled }), contract);
  const decision = isWorldCertain ? next : holdBack(next, facts);
  const { hosts, now } = facts;
  const status =
    decision.status && hosts ? withAttended(decision.status, { ...hosts, now }) : decision.status;
  return { ...decision, status: status && observed(status, contract) };
}

/** What is accepted keeps the hours that were ordered; those that are added later may have another price. */
const withOrdered = (decision: Decision, { spec }: Contract): Decision =>
  decision.status
    ? { ...decision, status: withOrder(decision.status, { ...spec, ...decision.prepare }) }
    : decision;

/** kstatus and GitOps tools wait for this to reach metadata.generation. */
function observed<S extends { observedGeneration?: number | undefined }>(
  status: S,
  { metadata }: LiveContract,
): S {
  return metadata.generation === undefined ? status : { ...status, observedGeneration: metadata.generation };
}
