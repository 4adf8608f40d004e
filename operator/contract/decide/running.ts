/** Active and Paused: runs until its end, a cancellation, or the loss of its machine. */
import { addedPriceOf } from '../../../crds/contract/extension.ts';
import { failureMessage } from '../../../crds/contract/give-up.ts';
import { isHolder } from '../../../crds/contract/move.ts';
import { recreate } from '../../../crds/contract/steps.ts';
import { judgeTerm } from '../../../crds/contract/term.ts';
import {
  endTerm,
  pauseAtEnd,
  pauseByProvider,
  renewTerm,
  resume,
  warnOfEnd,
  withEnd,
} from '../../../crds/contract/term-steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { assertNever } from '../../../lib/assert.ts';
import { type Decision, decided, type LiveFacts } from '../facts.ts';
import { withConfigJudged } from './config.ts';
import { settleDebts } from './debts.ts';
import { moveIfDrained } from './drained.ts';

const RECORD = [{ type: 'RecordInstance' }] as const;

export function decideRunning(facts: LiveFacts): Decision {
  const { contract, now } = facts;
  const wish = endWish(contract);
  if (wish) return decided(endTerm(contract, { ...wish, now }));
  if (!contract.status.instance || !isHolder(contract.status, contract.status.instance))
    return decideLost(facts);
  const judged = { ...contract, status: withConfigJudged(facts) };
  const term = decideTerm({ ...facts, contract: { ...judged, status: withEnd(judged, now) } });
  return moveIfDrained(facts, settleDebts(facts, term));
}

function decideTerm({ contract, offering, now }: LiveFacts): Decision {
  const { status } = contract;
  const price = addedPriceOf(contract, offering);
  const verdict = judgeTerm(contract, { now, price });
  switch (verdict.type) {
    case 'Runs':
      return decided(status, { after: RECORD, requeueAfterMs: verdict.nextLookMs });
    case 'PauseByProvider':
      return decided(pauseByProvider(contract, now), { after: RECORD });
    case 'Resume':
      return decided(resume(contract, now), { after: RECORD, requeueAfterMs: 0 });
    case 'Renew':
      return decided(renewTerm(contract, { hours: verdict.hours, price, now }), {
        after: RECORD,
        requeueAfterMs: 0,
      });
    case 'Warn':
      return decided(warnOfEnd(contract, { ...verdict, now }), {
        after: RECORD,
        requeueAfterMs: 0,
      });
    case 'PauseAtEnd':
      return decided(pauseAtEnd(contract, { graceEndsAt: verdict.graceEndsAt, now }), {
        after: RECORD,
        requeueAfterMs: 0,
      });
    case 'End':
      return decided(
        endTerm(contract, {
          reason: 'DurationEnded',
          message: `The rental ended at ${status.endsAt ?? ''}`,
          now,
        }),
      );
    default:
      return assertNever(verdict);
  }
}

/** The agent said that the machine is gone: build another one where the offering allows it. */
function decideLost({ contract, now }: LiveFacts): Decision {
  const mayRecreate =
    contract.spec.termsSnapshot?.allowRecreation === true && contract.status.phase === 'Active';
  const message = mayRecreate
    ? 'The machine is lost; another one is built'
    : failureMessage('InstanceLost', contract.status);
  const said = { reason: 'InstanceLost', message, now };
  return decided(mayRecreate ? recreate(contract, said) : endTerm(contract, said), {
    requeueAfterMs: 0,
  });
}
