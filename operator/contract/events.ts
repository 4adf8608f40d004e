/**
 * Every move of a contract as an Event, whoever wrote it: the leader sees it in the history. Off the path and
 * rate-limited by the recorder; what a restart missed is still in the history itself.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import type { GiveUp } from '../../crds/contract/give-up.ts';
import { remarkOf } from '../../crds/contract/remark.ts';
import type { HistoryEntry } from '../../crds/contract/status.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Informer } from '../../kube/informer.ts';

const WARNINGS: ReadonlySet<string> = new Set([
  'LockExpired',
  'AttemptFailed',
  'AttemptTooLong',
  'AttemptsExhausted',
  'DeadlineExceeded',
  'InstanceLost',
  'NoCapacity',
  'ConfigurationRefused',
  'NotReachable',
  'EndsSoon',
  'RenewalTooDear',
  'PriceChanged',
  'NotExtended',
]);

/** Answers how to stop. */
export function recordMoves(contracts: Informer<Contract>, recorder: EventRecorder): () => void {
  return contracts.onChange((change) => {
    if (change.type !== 'Updated') return;
    const { object, old } = change;
    for (const entry of newMoves(old, object)) {
      if (entry.to === 'Failed' && entry.from !== entry.to) continue; // told as a give-up, exactly once
      recorder.record({
        regarding: object,
        type: WARNINGS.has(entry.reason) ? 'Warning' : 'Normal',
        reason: entry.reason,
        action: entry.to,
        note: noteOf(object, entry),
      });
    }
  });
}

/** A give-up as an Event: of a contract that failed, and of a holder that went without a confirmation. */
export const recordGiveUp = (
  recorder: Pick<EventRecorder, 'record'>,
  { contract, giveUp }: Readonly<{ contract: Contract; giveUp: GiveUp }>,
): void =>
  recorder.record({
    regarding: contract,
    type: 'Warning',
    reason: giveUp.reason,
    action: giveUp.key.startsWith('Failed/') ? 'Failed' : 'Abandoned',
    note: giveUp.message,
  });

function newMoves(old: Contract, { status }: Contract): readonly HistoryEntry[] {
  const seen = old.status?.history?.at(-1)?.seq ?? 0;
  return status?.history?.filter((entry) => entry.seq > seen) ?? [];
}

/** The sentence of the status when this was its last move; else what moved, from where and by whom. */
function noteOf({ status }: Contract, entry: HistoryEntry): string {
  const { lock, message } = status ?? {};
  if (entry.reason === 'Claimed' && lock)
    return `${lock.agent} holds the lock until ${lock.expiresAt} (epoch ${lock.epoch})`;
  const remark = status && remarkOf(entry, status);
  if (remark) return remark;
  if (entry.seq === status?.history?.at(-1)?.seq && message) return message;
  return `${entry.from ?? 'New'} to ${entry.to}, by ${entry.by}`;
}
