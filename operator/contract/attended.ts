/**
 * Condition Attended: False while an agent that was revoked or deleted may have a machine of the contract. It runs
 * on, but nobody starts, stops, measures or destroys it. Never written for a contract that always was attended.
 */
import { withCondition } from '../../crds/condition.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { wasOrWere } from '../../lib/counted.ts';

const ATTENDED = 'Attended';

/** `deserted` are the UIDs of agents that are revoked or gone. */
export function withAttended<S extends Pick<ContractStatus, 'holders' | 'conditions'>>(
  status: S,
  { deserted, now }: Readonly<{ deserted: readonly string[]; now: Date }>,
): S {
  const left = (status.holders ?? []).filter(({ agentUID }) => deserted.includes(agentUID));
  const known = status.conditions?.find(({ type }) => type === ATTENDED);
  if (left.length === 0 && known?.status !== 'False') return status;
  const agents = [...new Set(left.map(({ agent }) => agent))];
  const names = agents.join(', ');
  const next =
    left.length === 0
      ? ({ status: 'True', reason: 'Attended', message: 'An agent sees to it' } as const)
      : ({
          status: 'False',
          reason: 'AgentRevoked',
          message: `Unattended: ${names} ${wasOrWere(agents.length)} revoked or deleted. Let another agent on that host adopt the machine, or release it by force`,
        } as const);
  return {
    ...status,
    conditions: withCondition(status.conditions, { next: { type: ATTENDED, ...next }, now }),
  };
}
