/** New and Requested: is there anything to wait for, and may it be accepted at all? */

import { REQUEST_DEADLINE_MS } from '../../../crds/contract/numbers.ts';
import { refusalOfRenewal } from '../../../crds/contract/renewal-limit.ts';
import { accept, end, firstStatus } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { FINALIZER } from '../../../crds/group.ts';
import { problemOfSchema, refusalOfConfig } from '../../../crds/instance-config/check.ts';
import { counted, wasOrWere } from '../../../lib/counted.ts';
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
    const first = firstStatus({ to: 'Accepted', ...saidAtFirst(facts.outlook), now });
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
    const accepted = accept(status, { ...saidAtFirst(facts.outlook), now });
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
  const { spec, metadata } = contract;
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
  if (!agreed) return wait('OfferingNotReady', whyNotReady(offering));
  if (offering.spec.visibility === 'Private')
    return reject('OfferingPrivate', `Offering ${spec.offering.name} cannot be rented`);
  const ruled = judgeRules({ contract, offering, provider });
  if (ruled) return ruled;
  const durationHours = spec.durationHours ?? offering.spec.duration.defaultHours;
  const vain = refusalOfRenewal({ ...contract, spec: { ...spec, durationHours, termsSnapshot: agreed } });
  if (vain) return reject('AutoRenewNotAllowed', vain.message);
  const refused = refusalOfConfig(spec.instanceConfig, agreed.instanceConfigSchema);
  if (refused) return reject('InstanceConfigInvalid', refused.message);
  // Both prices: the terms are what was agreed, the offering is what nobody but the provider can write.
  if (agreed.price.amountMinor > 0 || offering.spec.price.amountMinor > 0)
    return wait('PaymentUnavailable', 'The offering costs money, and payments are not available yet');
  const decision = spec.decision;
  if (decision?.verdict === 'Reject')
    return reject('RejectedByProvider', decision.note ?? 'The provider rejected the request');
  if (provider.spec.acceptance.mode === 'Manual' && !decision)
    return wait('AwaitingDecision', 'The provider decides on each request by hand');
  return judgeStock({ uid: metadata.uid ?? '', offering, mode: 'First' });
}

function whyNotReady({ metadata, spec }: NonNullable<Facts['offering']>): string {
  const { instanceConfigSchema, recipe } = spec;
  const problem = instanceConfigSchema && problemOfSchema(instanceConfigSchema);
  return problem === undefined
    ? `Offering ${metadata.name} waits for its recipe ${recipe?.name ?? ''}`
    : `instanceConfigSchema of offering ${metadata.name} ${problem}`;
}

type Ruled = Readonly<{
  contract: Facts['contract'];
  offering: NonNullable<Facts['offering']>;
  provider: NonNullable<Facts['provider']>;
}>;

/** What the provider wants of every rental. Lists of tenants are never named to anybody. */
function judgeRules({ contract: { spec }, offering, provider }: Ruled): Acceptance | undefined {
  const { allowedTenants, blockedTenants, minDurationHours, maxDurationHours } = provider.spec.acceptance;
  const { publicKey } = spec.tenant;
  const isAllowed = !allowedTenants || allowedTenants.length === 0 || allowedTenants.includes(publicKey);
  if (!isAllowed || blockedTenants?.includes(publicKey))
    return reject('TenantNotAccepted', 'The provider does not rent to this tenant');
  const { minHours, maxHours, defaultHours } = offering.spec.duration;
  const hours = spec.durationHours ?? defaultHours;
  const least = Math.max(minHours, minDurationHours ?? minHours);
  const most = Math.min(maxHours, maxDurationHours ?? maxHours);
  const allowed = least === most ? `${most} ${most === 1 ? 'is' : 'are'}` : `${least} to ${most} are`;
  if (hours < least || hours > most)
    return reject(
      'DurationNotAllowed',
      `${counted(hours, 'hour')} ${wasOrWere(hours)} asked for; ${allowed} allowed`,
    );
  return undefined;
}

const wait = (reason: string, message: string): Acceptance => ({ verdict: 'Wait', reason, message });
const reject = (reason: string, message: string): Acceptance => ({ verdict: 'Reject', reason, message });
