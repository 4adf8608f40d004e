/**
 * A provider's retry of what failed: `spec.retry` is raised, the operator makes it Accepted again. Possible while
 * the contract is Failed and not archived yet, which it is after a time of grace (`FAILED_GRACE_MS`).
 */
import { isTrue } from '../condition.ts';
import type { Rule } from '../resource.ts';
import type { Contract, LiveContract } from './contract.ts';
import { endWish } from './wishes.ts';

/** From API server and facade alike. */
export const ARCHIVED_SENTENCE = 'a contract that is archived cannot be retried; rent another one';

const IS_ARCHIVED =
  "has(oldSelf.status) && has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(it, it.type == 'Archived' && it.status == 'True')";

/** That it is Failed is in the table of actions. */
export const RETRY_CEL: readonly Rule[] = [
  { rule: `self.spec.retry == oldSelf.spec.retry || !(${IS_ARCHIVED})`, message: ARCHIVED_SENTENCE },
  {
    rule: 'oldSelf.hasValue() || self.spec.retry == 0',
    optionalOldSelf: true,
    message: 'a contract begins with retry 0: there is nothing to retry yet',
  },
];

export const isArchived = ({ status }: Contract): boolean => isTrue(status?.conditions, 'Archived');

/** Whether a retry was asked for that was not made yet. Who wants it to end does not want it tried again. */
export const wantsRetry = (contract: LiveContract): boolean =>
  contract.status.phase === 'Failed' &&
  contract.spec.retry > (contract.status.retried ?? 0) &&
  !isArchived(contract) &&
  endWish(contract) === undefined;
