/** A provider's retry of what failed: Accepted again, with a unit of the stock where that is finite. */
import { withCondition } from '../../../crds/condition.ts';
import { retry } from '../../../crds/contract/steps.ts';
import { type Decision, decided, type LiveFacts } from '../facts.ts';
import { judgeStock } from './stock.ts';
import { saidAtFirst } from './waiting.ts';

/** `leftMs`: how long it may wait for a unit before the contract is archived. */
export function decideRetry(facts: LiveFacts, { leftMs }: Readonly<{ leftMs: number }>): Decision {
  const { contract, offering, now } = facts;
  const { status, spec, metadata } = contract;
  // What was rented does not change with its offering: one that is gone has no stock to take from.
  const stock = judgeStock({ uid: metadata.uid ?? '', offering, mode: 'Anew' });
  if (stock.verdict === 'Wait') {
    const { reason, message } = stock;
    const next = { type: 'Retried', status: 'False', reason, message } as const;
    const waiting = { ...status, conditions: withCondition(status.conditions, { next, now }) };
    return decided(waiting, { requeueAfterMs: leftMs });
  }
  const { message } = saidAtFirst(facts, { startsAt: status.startsAt });
  const retried = retry(status, { reason: 'Retried', message, now, retried: spec.retry });
  const conditions = retried.conditions?.filter(({ type }) => type !== 'Retried');
  return decided({ ...retried, ...(conditions ? { conditions } : {}) }, { before: stock.before });
}
