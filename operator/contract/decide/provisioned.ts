/** Provisioned: a machine was reported; it becomes Active once it was seen reachable, else it counts as failed. */
import { hoursOf } from '../../../crds/contract/extension.ts';
import { isHolder } from '../../../crds/contract/move.ts';
import { VERIFICATION_DEADLINE_MS } from '../../../crds/contract/numbers.ts';
import { activate, failVerification, terminate } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { type Decision, decided, type LiveFacts } from '../facts.ts';
import { settleDebts } from './debts.ts';

const RECORD = [{ type: 'RecordInstance' }] as const;

export function decideProvisioned(facts: LiveFacts): Decision {
  const { contract, now } = facts;
  const { status } = contract;
  const wish = endWish(contract);
  if (wish) return decided(terminate(status, { ...wish, now }));
  if (!status.instance || !isHolder(status, status.instance))
    return decided(
      failVerification(contract, {
        reason: 'InstanceLost',
        message: 'The machine was gone before it was checked',
        now,
      }),
    );
  if (status.access?.verifiedAt) {
    const message = status.endpoint ? `Reachable at ${status.endpoint}` : 'Confirmed';
    const said = { reason: 'Reachable', message, now, durationHours: hoursOf(contract) ?? 0 };
    return decided(activate(status, said), { after: RECORD });
  }
  const sinceMs = now.getTime() - Date.parse(status.provisionedAt ?? now.toISOString());
  if (sinceMs >= VERIFICATION_DEADLINE_MS)
    return decided(
      failVerification(contract, {
        reason: 'NotReachable',
        message: 'Nobody could reach the machine in 5 minutes',
        now,
      }),
    );
  return settleDebts(
    facts,
    decided(status, { after: RECORD, requeueAfterMs: VERIFICATION_DEADLINE_MS - sinceMs }),
  );
}
