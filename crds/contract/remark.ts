/** Lines of the history that are no moves, as sentences: the same in Events and in the tenant's event stream. */
import { extensionMessage } from './extension.ts';
import type { ContractStatus, HistoryEntry } from './status.ts';

const REMARKS: Readonly<Record<string, (status: ContractStatus) => string>> = {
  EndsSoon: ({ endsAt }) => `The rental ends at ${endsAt ?? 'its end'}; extend it to keep the machine`,
  RenewalTooDear: ({ endsAt }) =>
    `The rental ends at ${endsAt ?? 'its end'} and is not renewed, since that costs more by now than you agreed to; extend it to keep the machine`,
  PriceChanged: (status) =>
    extensionMessage(status) ?? 'Hours were not added: they cost something else by now',
  NotExtended: (status) => extensionMessage(status) ?? 'Hours were not added',
  ExtensionAgreed: (status) => extensionMessage(status) ?? 'Hours were added',
  Renewed: ({ endsAt }) => `Renewed; it now ends at ${endsAt ?? 'a later time'}`,
  Restarted: () => 'The machine was restarted',
  Reinstalled: () => 'The system was installed anew; look at the new host key before you log in',
  SshKeysChanged: () => 'Other SSH keys can log in now',
  PasswordReset: () => 'A new password was set',
  PoweredOn: () => 'The machine was switched on',
  PoweredOff: () => 'The machine was switched off',
};

/** Undefined for a move, and for a line that needs no sentence. Names no machine of the provider's. */
export const remarkOf = ({ from, to, reason }: HistoryEntry, status: ContractStatus): string | undefined =>
  from === to ? REMARKS[reason]?.(status) : undefined;
