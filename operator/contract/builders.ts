/** What the tests of decisions share: facts with a legal minimum, and what a failure prints. */
import {
  aContract,
  aHolder,
  anOffering,
  aProvider,
  at,
  someTerms,
  uidOf,
} from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { Explanation, SchedulingReason } from '../../crds/placement/explain.ts';
import type { Decision, Facts } from './facts.ts';
import type { Outlook } from './outlook.ts';

/** Two agents could build it; else nobody, for the reason that is given. */
export const anOutlook = (
  reason: SchedulingReason = 'AwaitingAgent',
  change: Partial<Explanation> = {},
): Outlook => {
  const schedulable = reason === 'AwaitingAgent' || reason === 'AwaitingRetry';
  const why = { schedulable, reason, counts: [], examples: [], message: `for the provider: ${reason}` };
  const tenantMessage = `for the tenant: ${reason}`;
  return { why: { ...why, tenantMessage, againAtMs: undefined, ...change }, hasHope: schedulable };
};

/** A contract that waits in line, with everything there that it needs. */
export const someFacts = (change: Partial<Facts> = {}): Facts => ({
  contract: aContract(),
  offering: anOffering(),
  terms: someTerms(),
  provider: aProvider(),
  outlook: anOutlook(),
  lockSilentMs: 0,
  now: at(60),
  ...change,
});
const { status: _none, ...withoutStatus } = aContract();
/** Prepared, but without a status. */
export const fresh: Contract = withoutStatus;
/** As kubectl made it. */
export const newborn: Contract = { ...fresh, metadata: { ...fresh.metadata, finalizers: [] } };
export const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' };
export const held = { epoch: 1, holders: [aHolder(1, 1)] };
export const verified = { verifiedAt: at(50).toISOString() };
export const cancel = { spec: { cancel: { requested: true, note: 'not needed' } } };

/** What a failure prints. */
export const gist = ({ status, before, after, prepare, requeueAfterMs }: Decision) => ({
  phase: status?.phase,
  reason: status?.reason,
  epoch: status?.epoch,
  before: before.map(({ type }) => type),
  after: after.map(({ type }) => type),
  prepare,
  requeueAfterMs,
});
