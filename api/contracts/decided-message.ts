/**
 * What a tenant is told of what people or rules decided: a pause, a rejection, a cancellation. Their notes, and the
 * sentences of `crds/contract/order.ts`, are meant for the tenant; nothing else that the provider wrote is passed on.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';

/** Accepted, and changed since to what its terms do not allow. */
export const unfitMessage = ({ message }: ContractStatus): string =>
  `Nothing is built until it is corrected: ${message ?? 'instanceConfig is not what the offering allows'}.`;

type Facts = Readonly<{ contract: Contract }>;

export function pausedMessage({ graceEndsAt, endsAt }: ContractStatus, { contract }: Facts): string {
  if (graceEndsAt)
    return `The rental ended at ${endsAt ?? 'its end'}. Extend it by ${graceEndsAt} to keep your machine; after that it is removed.`;
  return `Your machine is paused by the provider${noted(contract.spec.pause?.reason)} The time is credited to you.`;
}

export function rejectedMessage({ reason, message }: ContractStatus, { contract }: Facts): string {
  switch (reason) {
    case 'RejectedByProvider':
      return `The provider did not accept this rental${noted(contract.spec.decision?.note)} You pay nothing.`;
    case 'DurationNotAllowed':
      return `The provider did not accept this rental: ${message ?? 'its duration is not allowed'}. You pay nothing.`;
    case 'AutoRenewNotAllowed':
    case 'AgreedPriceNotAllowed':
    case 'InstanceConfigInvalid':
      return `It cannot be rented like that: ${message ?? 'what was asked is not allowed'}. You pay nothing.`;
    case 'TenantNotAccepted':
    case 'OfferingPrivate':
      return `${message ?? 'The provider did not accept this rental'}. You pay nothing.`;
    default:
      return 'The provider did not accept this rental. You pay nothing.';
  }
}

export function cancelledMessage({ reason }: ContractStatus, { contract }: Facts): string {
  return reason === 'CancelledByProvider'
    ? `The provider cancelled the rental${noted(contract.spec.cancel?.note)}`
    : 'The rental was cancelled.';
}

/** `: the note.`, or `.` without one. */
function noted(note: string | undefined): string {
  const text = note?.trim().replace(/\.$/, '');
  return text ? `: ${text}.` : '.';
}
