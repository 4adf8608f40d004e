/** Active and Paused: runs until its end, a cancellation, or the loss of its machine. */
import { isHolder } from '../../../crds/contract/move.ts';
import { HOUR_MS } from '../../../crds/contract/numbers.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import { recreate, terminate } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { type Decision, decided, type LiveFacts, untilMs } from '../facts.ts';
import { settleDebts } from './debts.ts';

export function decideRunning(facts: LiveFacts): Decision {
  const { contract, now } = facts;
  const wish = endWish(contract);
  if (wish) return decided(terminate(contract.status, { ...wish, now }));
  if (!contract.status.instance || !isHolder(contract.status, contract.status.instance))
    return decideLost(facts);
  const status = withEnd(contract.status, contract.spec.durationHours);
  const leftMs = status.endsAt ? untilMs(status.endsAt, now) : undefined;
  if (leftMs === 0)
    return decided(
      terminate(status, {
        reason: 'DurationEnded',
        message: `The rental ended at ${status.endsAt ?? ''}`,
        now,
      }),
    );
  return settleDebts(facts, decided(status, { after: [{ type: 'RecordInstance' }], requeueAfterMs: leftMs }));
}

/** The agent said that the machine is gone: build another one where the offering allows it. */
function decideLost({ contract, now }: LiveFacts): Decision {
  const said = { reason: 'InstanceLost', message: 'The machine is lost', now };
  const mayRecreate =
    contract.spec.termsSnapshot?.allowRecreation === true && contract.status.phase === 'Active';
  return decided(mayRecreate ? recreate(contract, said) : terminate(contract.status, said), {
    requeueAfterMs: 0,
  });
}

/** An extension moves the end; time paused is credited. */
function withEnd(status: ContractStatus, durationHours: number | undefined): ContractStatus {
  if (!status.startsAt || durationHours === undefined) return status;
  const endMs = Date.parse(status.startsAt) + durationHours * HOUR_MS + (status.pausedMs ?? 0);
  return { ...status, endsAt: new Date(endMs).toISOString() };
}
