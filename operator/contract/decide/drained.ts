/** The agent of a running machine is being drained: what its offering allows to build anew is moved away when due. */
import { withCondition } from '../../../crds/condition.ts';
import { drainDueMs, MOVABLE, remainingAt } from '../../../crds/contract/remaining.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import { moveAway } from '../../../crds/contract/steps.ts';
import { type Decision, decided, type LiveFacts } from '../facts.ts';

/** Whether somebody else could build it by now is asked again so often. */
const LOOK_AGAIN_MS = 30_000;
/** A move takes a second or two, until its new agent has claimed. */
const TURN_AGAIN_MS = 3_000;

/** `decision` is what would happen otherwise; it stands when that ends, pauses or moves the contract. */
export function moveIfDrained(facts: LiveFacts, decision: Decision): Decision {
  const { contract, hosts, now } = facts;
  const { status } = decision;
  if (status?.phase !== 'Active') return decision;
  const agent = hosts?.drained;
  const remains = agent && remainingAt({ ...contract, status }, { agent, now });
  const isDue = remains?.reason === 'Moving' || remains?.reason === 'NoOtherAgent';
  if (!isDue) {
    const dueMs = agent && drainDueMs(agent, now);
    const settled = { ...decision, status: withoutMovable(status) };
    return dueMs === undefined ? settled : sooner(settled, dueMs - now.getTime());
  }
  // Not asked: another move is under way, or it was no running machine a moment ago.
  if (!hosts?.elsewhere || hosts.awaitsTurn === 'AnotherMove') return sooner(decision, TURN_AGAIN_MS);
  const { elsewhere, awaitsTurn } = hosts;
  if (elsewhere.schedulable && !awaitsTurn)
    return decided(
      moveAway(status, {
        reason: 'Moved',
        message: 'It is built anew on another host; the one that it was on is being emptied',
        now,
      }),
      { before: decision.before, requeueAfterMs: 0 },
    );
  const why = awaitsTurn
    ? 'those that wait and have no machine yet go first'
    : `no other agent can take it now: ${elsewhere.reason}`;
  const next = {
    type: MOVABLE,
    status: 'False',
    reason: 'NoOtherAgent',
    message: `It is to be moved, and ${why}`,
  } as const;
  const said = { ...status, conditions: withCondition(status.conditions, { next, now }) };
  return sooner({ ...decision, status: said }, LOOK_AGAIN_MS);
}

const sooner = (decision: Decision, ms: number): Decision => ({
  ...decision,
  requeueAfterMs: Math.min(decision.requeueAfterMs ?? Number.POSITIVE_INFINITY, ms),
});

function withoutMovable(status: ContractStatus): ContractStatus {
  if (!status.conditions?.some(({ type }) => type === MOVABLE)) return status;
  return { ...status, conditions: status.conditions.filter(({ type }) => type !== MOVABLE) };
}
