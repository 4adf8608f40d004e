/** New and Requested: is there anything to wait for, and may it be accepted at all? */

import { REQUEST_DEADLINE_MS } from '../../../crds/contract/numbers.ts';
import { type OrderRefusal, refusalOfOrder, waitingSentence } from '../../../crds/contract/order.ts';
import { accept, end, firstStatus } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { FINALIZER } from '../../../crds/group.ts';
import type { Action, Decision, Facts, LiveFacts, Preparation } from '../facts.ts';
import { decided } from '../facts.ts';
import { judgeStock } from './stock.ts';
import { acceptedWith, saidAtFirst } from './waiting.ts';

type Acceptance =
  | Readonly<{ verdict: 'Accept'; before: readonly Action[] }>
  | Readonly<{ verdict: 'Wait' | 'Reject'; reason: string; message: string }>;

/** No status yet: finalizer and terms first, then Requested or straight to Accepted. */
export function decideNew(facts: Facts): Decision {
  const { contract, now } = facts;
  const prepare = preparation(facts);
  // Deleted before we ever saw it: without our finalizer it goes by itself, and nobody can have a machine.
  if (contract.metadata.deletionTimestamp && !contract.metadata.finalizers?.includes(FINALIZER))
    return { before: [], after: [], status: undefined };
  const acceptance = endWish(contract) ? undefined : judgeAcceptance(facts);
  if (acceptance?.verdict === 'Accept') {
    const first = firstStatus({ to: 'Accepted', ...saidAtFirst(facts), now });
    return decided(acceptedWith(first, facts), { prepare, before: acceptance.before });
  }
  const { reason, message } = acceptance ?? { reason: 'Received', message: 'The request was received' };
  return decided(firstStatus({ to: 'Requested', reason, message, now }), { prepare, requeueAfterMs: 0 });
}

export function decideRequested(facts: LiveFacts): Decision {
  const { contract, now } = facts;
  const { status, metadata } = contract;
  const wish = endWish(contract);
  if (wish) return decided(end(status, { to: 'Cancelled', ...wish, now }));
  const acceptance = judgeAcceptance(facts);
  if (acceptance.verdict === 'Accept') {
    const accepted = accept(status, { ...saidAtFirst(facts), now });
    const more = { prepare: preparation(facts), before: acceptance.before };
    return decided(acceptedWith(accepted, facts), more);
  }
  const { reason, message } = acceptance;
  if (acceptance.verdict === 'Reject') return decided(end(status, { to: 'Rejected', reason, message, now }));
  const ageMs = now.getTime() - Date.parse(metadata.creationTimestamp ?? now.toISOString());
  if (ageMs >= REQUEST_DEADLINE_MS)
    return decided(
      end(status, {
        to: 'Expired',
        reason: 'RequestExpired',
        message: `Nobody could accept it in 7 days: ${message}`,
        now,
      }),
    );
  return decided(
    { ...status, reason, message },
    { prepare: preparation(facts), requeueAfterMs: REQUEST_DEADLINE_MS - ageMs },
  );
}

/** What the main resource lacks. Undefined when it has finalizer, terms and duration. */
function preparation({ contract, terms, offering }: Facts): Preparation | undefined {
  const { metadata, spec } = contract;
  if (metadata.deletionTimestamp) return undefined;
  const needsTerms = spec.termsSnapshot === undefined && terms !== undefined;
  const needsDuration = spec.durationHours === undefined && offering !== undefined;
  if (metadata.finalizers?.includes(FINALIZER) && !needsTerms && !needsDuration) return undefined;
  return {
    ...(needsTerms ? { termsSnapshot: terms } : {}),
    ...(needsDuration ? { durationHours: offering.spec.duration.defaultHours } : {}),
  };
}

/** In the order in which a person would ask. */
function judgeAcceptance({ contract, offering, provider, terms }: Facts): Acceptance {
  const { spec, metadata, status } = contract;
  if (provider?.metadata.deletionTimestamp)
    return wait('ProviderNotReady', `Provider ${provider.metadata.name} was deleted, and sells nothing new`);
  if (!provider)
    return wait(
      'ProviderNotReady',
      `No provider that is ready owns the namespace ${metadata.namespace ?? ''}`,
    );
  if (!offering)
    return wait(
      'OfferingNotFound',
      `There is no offering ${spec.offering.name} in ${metadata.namespace ?? ''} yet`,
    );
  if (offering.metadata.deletionTimestamp)
    return wait(
      'OfferingNotFound',
      `Offering ${spec.offering.name} was deleted, and waits for its contracts`,
    );
  const agreed = spec.termsSnapshot ?? terms;
  const refusal = refusalOfOrder({
    contract: { status, spec: agreed ? { ...spec, termsSnapshot: agreed } : spec },
    offering,
    provider,
  });
  if (refusal) return refused(refusal);
  const decision = spec.decision;
  if (decision?.verdict === 'Reject')
    return reject('RejectedByProvider', decision.note ?? 'The provider rejected the request');
  if (provider.spec.acceptance.mode === 'Manual' && !decision)
    return wait('AwaitingDecision', 'The provider decides on each request by hand');
  return judgeStock({ uid: metadata.uid ?? '', offering, mode: 'First' });
}

/** What may still change is waited for. */
function refused(refusal: OrderRefusal): Acceptance {
  switch (refusal.reason) {
    case 'OfferingNotReady':
    case 'PaymentUnavailable':
    case 'OutOfStock':
      return wait(refusal.reason, waitingSentence(refusal));
    default:
      return reject(refusal.reason, refusal.message);
  }
}

const wait = (reason: string, message: string): Acceptance => ({ verdict: 'Wait', reason, message });
const reject = (reason: string, message: string): Acceptance => ({ verdict: 'Reject', reason, message });
