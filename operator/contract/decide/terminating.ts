/** Terminating: ends when nobody may still have a machine. A cancel wins over the other ends. */
import { end, endPhaseOf } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { type Decision, decided, type LiveFacts } from '../facts.ts';
import { settleDebts } from './debts.ts';

/** Again: an operator that died between Active and here had not recorded it, and a restore must know of it. */
const RECORD = [{ type: 'RecordInstance' }] as const;

export function decideTerminating(facts: LiveFacts): Decision {
  const { contract, now } = facts;
  const { status } = contract;
  const settled = settleDebts(facts, decided(status, { after: status.instance ? RECORD : [] }));
  const next = settled.status ?? status;
  if ((next.holders ?? []).length > 0) return settled;
  const wish = endWish(contract);
  const to = endPhaseOf(status.reason, wish !== undefined);
  const said = wish ?? { reason: status.reason ?? to, message: status.message ?? to };
  return { ...settled, status: end(next, { to, ...said, now }), requeueAfterMs: 0 };
}
