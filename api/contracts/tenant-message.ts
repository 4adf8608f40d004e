/**
 * What a tenant is told. Written from phase and reason: messages of the status are for the provider and may name its
 * machines, and of them a tenant reads only those about its own order.
 */
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { regionsOf } from '../../crds/contract/eligibility.ts';
import { isFailureReason } from '../../crds/contract/give-up.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { isArchived } from '../../crds/contract/retry.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { unusedOf, unusedWords } from '../../crds/contract/unused.ts';
import { REGION_NAMES } from '../../crds/regions.ts';
import { cancelledMessage, pausedMessage, rejectedMessage, unfitMessage } from './decided-message.ts';

export type TenantFacts = Readonly<{
  /** How many agents are online and could build it. Walks over them: asked only where the text needs it. */
  online: () => number;
  /** Its provider decides on every request: before the operator has seen one, nobody else would say so. */
  byHand?: (() => boolean) | undefined;
  /** Why no agent has it yet, where it waits for one. */
  waiting?: string | undefined;
  now: Date;
}>;

export function tenantMessage(contract: Contract, facts: TenantFacts): string {
  if (!isLive(contract)) return facts.byHand?.() ? AWAITING_DECISION : orderedMessage(contract, facts);
  const message = BY_PHASE[contract.status.phase](contract.status, { ...facts, contract });
  const before = whyAnew(contract.status);
  return before ? `${before} ${message}` : message;
}

/** One word for what a contract waits for; undefined when it waits for nothing. */
export function waitingOn({ status }: Contract): string | undefined {
  switch (status?.phase) {
    case undefined:
    case 'Requested':
      return 'Acceptance';
    case 'Accepted':
      return isBackingOff(status) ? 'NextAttempt' : 'Agent';
    case 'Provisioning':
      return 'Machine';
    case 'Provisioned':
      return 'Verification';
    case 'Terminating':
      return 'Destruction';
    default:
      return undefined;
  }
}

/** On its way from one host to another: it ran before, and does not run yet again. */
function whyAnew({ phase, history = [] }: ContractStatus): string | undefined {
  if (phase !== 'Accepted' && phase !== 'Provisioning' && phase !== 'Provisioned') return undefined;
  const last = history.findLast(
    ({ from, to }) => to === 'Active' || (from === 'Active' && to === 'Accepted'),
  );
  switch (last?.reason) {
    case 'Moved':
      return 'Your machine is moved to another host and set up anew.';
    case 'InstanceLost':
      return 'Your machine was lost with all that was on it, and another one is set up in its place.';
    default:
      return undefined;
  }
}

type Saying = TenantFacts & Readonly<{ contract: Contract }>;
type Say = (status: ContractStatus, facts: Saying) => string;

const BY_PHASE: Readonly<Record<ContractPhase, Say>> = {
  Requested: (status, { contract, ...facts }) => requestedMessage(status, { contract, ...facts }),
  Accepted: (status, { contract, ...facts }) =>
    status.reason === 'InstanceConfigInvalid'
      ? unfitMessage(status)
      : (facts.waiting ?? orderedMessage(contract, facts)),
  Provisioning: () => 'Your machine is being built.',
  Provisioned: () => 'Your machine is there; it is checked before you get it.',
  Active: (status) => (status.endpoint ? `Your machine runs at ${status.endpoint}.` : 'Your machine runs.'),
  Paused: pausedMessage,
  Terminating: () => 'Your machine is being removed.',
  Rejected: rejectedMessage,
  Cancelled: cancelledMessage,
  Expired: () => 'The rental is over.',
  Failed: (status, { contract }) => failedMessage(status, contract),
};

/** Why, without a word about whose machine; and whether there is hope. */
function failedMessage(status: ContractStatus, contract: Contract): string {
  const hope = isArchived(contract) ? '' : ' The provider may still try again.';
  const unused = unusedOf({ ...contract, status });
  const owed = unused
    ? ` ${unusedWords(unused)}`
    : status.reason === 'InstanceLost'
      ? ''
      : ' You pay nothing.';
  return `${failureWords(status, unused ? ' anew' : '')}${owed}${hope}`;
}

/** `anew`: it ran before, and was to be built another time. */
function failureWords({ reason, failures = 0 }: ContractStatus, anew: '' | ' anew'): string {
  if (!isFailureReason(reason)) return `Your machine could not be built${anew}.`;
  switch (reason) {
    case 'AttemptsExhausted':
      return failures === 1
        ? `The only try to build your machine${anew} failed.`
        : `All ${failures} tries to build your machine${anew} failed.`;
    case 'NoCapacity':
      return 'No machine had room for yours.';
    case 'ConfigurationRefused':
      return 'This offering does not work at the moment: its settings are wrong.';
    case 'DeadlineExceeded':
      return `Your machine could not be built${anew} in time.`;
    case 'InstanceLost':
      return 'Your machine is lost, and the offering has no other in its place.';
  }
}

const AWAITING_DECISION = 'Waiting for the provider to accept it. You pay nothing while you wait.';

const requestedMessage: Say = (status, { contract, ...facts }) => {
  switch (status.reason) {
    case 'ManualAcceptance':
    case 'AwaitingDecision':
      return AWAITING_DECISION;
    case 'ProviderNotReady':
      return 'Waiting for the provider, who cannot sell at the moment. You pay nothing while you wait; cancel at any time.';
    case 'OfferingNotFound':
    case 'OfferingNotReady':
      return 'Waiting for the offering, which is not complete yet. You pay nothing while you wait; cancel at any time.';
    case 'PaymentUnavailable':
    case 'OutOfStock': // a sentence of `crds/contract/order.ts`
      return `${status.message ?? 'It cannot be accepted yet'}. You pay nothing while you wait; cancel at any time.`;
    default:
      return orderedMessage(contract, facts);
  }
};

function orderedMessage(contract: Contract, facts: TenantFacts): string {
  const place = regionOf(contract);
  const online = facts.online();
  if (online === 0) return `No machine${place} is online right now. You are not charged while you wait.`;
  return `On its way to ${online === 1 ? 'an agent' : `one of ${online} agents`}${place}.`;
}

function regionOf({ spec }: Contract): string {
  const terms = spec.termsSnapshot;
  if (!terms) return '';
  const regions = regionsOf(terms).map((region) => REGION_NAMES[region]);
  return ` in ${regions.join(' or ')}`;
}

const isBackingOff = ({ nextAttemptAt, reason }: ContractStatus): boolean =>
  nextAttemptAt !== undefined && reason !== 'Released';
