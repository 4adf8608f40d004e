/**
 * What an agent that is to be empty still has of a contract, why, and what ends it. The same answer moves the
 * contract away, lists it on the Agent and tells the provider. Pure. Source: docs/agents.md, "Moving".
 *
 * Moved is only what its offering allows to build anew (its data is lost), only once `drainBy` is over, and only
 * while another agent could build it: a rented machine is not given up for nothing.
 */
import type { Agent } from '../agent.ts';
import type { Contract, LiveContract } from './contract.ts';
import { isEnding } from './phase.ts';
import type { ContractStatus } from './status.ts';

export const REMAINING_REASONS = [
  'Unattended',
  'Ending',
  'Superseded',
  'BeingBuilt',
  'Paused',
  'NotMovable',
  'NoDeadline',
  'BeforeDeadline',
  'NoOtherAgent',
  'Moving',
] as const;
export type RemainingReason = (typeof REMAINING_REASONS)[number];
export type Remains = Readonly<{ reason: RemainingReason; message: string }>;

/** Condition of a contract that is to be moved: False while nobody else could build it. */
export const MOVABLE = 'Movable';

type Facts = Readonly<{ agent: Pick<Agent, 'metadata' | 'spec'>; now: Date }>;

export const isToBeEmpty = ({ spec }: Pick<Agent, 'spec'>): boolean => spec.draining || spec.revoked;

/** Undefined: nothing of the contract is there. Asked only of an agent that is to be empty. */
export function remainingAt({ spec, status }: LiveContract, { agent, now }: Facts): Remains | undefined {
  const uid = agent.metadata.uid ?? '';
  const held = (status.holders ?? []).filter(({ agentUID }) => agentUID === uid);
  if (held.length === 0) return undefined;
  if (agent.spec.revoked)
    return {
      reason: 'Unattended',
      message: `nobody sees to ${machineOf(status, uid)}: let another agent on that host adopt it, or release it by force`,
    };
  if (isEnding(status.phase))
    return { reason: 'Ending', message: 'until the agent confirms that its machine is gone' };
  const isIts = status.instance?.agentUID === uid;
  if (!isIts && held.every(({ epoch }) => epoch < status.epoch))
    return { reason: 'Superseded', message: 'an earlier machine of it is still to be destroyed' };
  if (status.phase === 'Paused')
    return { reason: 'Paused', message: `paused; only what runs is moved${untilEnd(status)}` };
  if (status.phase !== 'Active')
    return { reason: 'BeingBuilt', message: 'it was begun before the drain and is brought to its end' };
  return ofRunning({ status, mayMove: spec.termsSnapshot?.allowRecreation === true }, { agent, now });
}

function ofRunning(
  { status, mayMove }: Readonly<{ status: ContractStatus; mayMove: boolean }>,
  { agent: { spec }, now }: Facts,
): Remains {
  if (!mayMove)
    return {
      reason: 'NotMovable',
      message: `its offering does not allow to build it anew elsewhere${untilEnd(status)}`,
    };
  const { drainBy } = spec;
  if (drainBy === undefined)
    return { reason: 'NoDeadline', message: `the drain has no deadline${untilEnd(status)}` };
  if (Date.parse(drainBy) > now.getTime())
    return { reason: 'BeforeDeadline', message: `it is moved from ${drainBy} on` };
  const movable = status.conditions?.find(({ type }) => type === MOVABLE);
  if (movable?.status === 'False') return { reason: 'NoOtherAgent', message: movable.message };
  return { reason: 'Moving', message: 'it is moved now' };
}

const untilEnd = ({ endsAt }: ContractStatus): string =>
  endsAt ? `; it stays until it ends at ${endsAt}` : '';

const machineOf = ({ instance }: ContractStatus, uid: string): string =>
  instance?.agentUID === uid ? `machine ${instance.externalId}` : 'what it may have of it';

/** When the deadline alone changes the answer. Milliseconds since 1970. */
export function drainDueMs({ spec }: Pick<Agent, 'spec'>, now: Date): number | undefined {
  if (!spec.draining || spec.drainBy === undefined) return undefined;
  const dueMs = Date.parse(spec.drainBy);
  return dueMs > now.getTime() ? dueMs : undefined;
}

/** Everything that remains at an agent, by name; `contracts` are all that name it as a holder. */
export const remainingOf = <C extends Contract>(
  agent: Facts['agent'],
  { contracts, now }: Readonly<{ contracts: readonly C[]; now: Date }>,
): (Remains & Readonly<{ contract: C & LiveContract }>)[] =>
  contracts
    .flatMap((contract) => {
      if (!contract.status) return [];
      const live = contract as C & LiveContract; // its status was just seen
      const remains = remainingAt(live, { agent, now });
      return remains ? [{ ...remains, contract: live }] : [];
    })
    .sort((a, b) => (a.contract.metadata.name < b.contract.metadata.name ? -1 : 1));
