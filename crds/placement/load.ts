/**
 * How much of an agent is promised: the sum of the live contracts that it may have a machine of, made anew from
 * the contracts each time. A sum that is only counted up and down drifts with the first lost event.
 */
import type { Agent } from '../agent.ts';
import type { Contract } from '../contract/contract.ts';
import { type Amounts, amountsOf, NOTHING, plus } from './amounts.ts';

export type Load = Readonly<{
  used: Amounts;
  /** Contracts that it builds or that are being checked: not yet proof that it works. */
  unproven: number;
  /** Of these, those that it holds the lock of: nothing was reported yet. */
  building: number;
}>;

export const NO_LOAD: Load = { used: NOTHING, unproven: 0, building: 0 };

/**
 * `contracts` are all that name the agent as a holder; others among them are left out. A machine that the agent
 * owes to destroy, of a contract that does not name it any more, takes a slot: its size is not known.
 */
export function loadOf({ metadata, status }: Agent, contracts: Iterable<Contract>): Load {
  const uid = metadata.uid ?? '';
  const counted = new Set<string>();
  let used = NOTHING;
  let unproven = 0;
  let building = 0;
  for (const contract of contracts) {
    if (!holds(contract, uid)) continue;
    counted.add(contract.metadata.uid ?? '');
    used = plus(used, wantedBy(contract));
    const { phase, lock } = contract.status ?? {};
    if (phase === 'Provisioning' || phase === 'Provisioned') unproven++;
    if (phase === 'Provisioning' && lock?.agentUID === uid) building++;
  }
  const owed = new Set((status?.owedDestroys ?? []).map(({ contractUID }) => contractUID));
  const unknown = [...owed].filter((contractUID) => !counted.has(contractUID)).length;
  return { used: { ...used, instances: used.instances + unknown }, unproven, building };
}

/** Whether a contract takes room on an agent: the agent may have a machine of it. One that ended has no holders. */
const holds = ({ status }: Contract, agentUID: string): boolean =>
  status?.holders?.some((entry) => entry.agentUID === agentUID) ?? false;

const wantedBy = ({ spec }: Contract): Amounts =>
  spec.termsSnapshot ? amountsOf(spec.termsSnapshot.resources) : { ...NOTHING, instances: 1 };
