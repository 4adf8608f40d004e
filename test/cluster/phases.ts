/** Contracts of a test in each phase, each reached through legal moves: the API server takes no other. */
import { aContract, aHolder, aLock, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { type ContractPhase, FIRST_PHASES, isLegalMove, PHASES } from '../../crds/contract/phase.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { EXAMPLES } from './examples.ts';

export const statusIn = (phase: ContractPhase): ContractStatus => ({
  ...aContract(phase, { epoch: 1 }).status,
  ...(phase === 'Provisioning' ? { lock: aLock(1), holders: [aHolder(1, 1)] } : {}),
  ...(['Provisioned', 'Active', 'Paused'].includes(phase)
    ? { instance: { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' } }
    : {}),
});

export const newContract = (
  contracts: ResourceClient<Contract>,
  place: Readonly<{ name: string; namespace: string }>,
  spec: object = {},
): Promise<Contract> =>
  contracts.create({
    ...EXAMPLES['Contract'],
    metadata: place,
    spec: { ...EXAMPLES['Contract']?.spec, ...spec },
  } as unknown as Contract); // the example is a contract, but for what the API server fills in

/** A shortest way through legal moves. */
export function wayTo(target: ContractPhase): readonly ContractPhase[] {
  const ways: ContractPhase[][] = FIRST_PHASES.map((phase) => [phase]);
  for (const way of ways) {
    const last = way.at(-1);
    if (last === target) return way;
    for (const next of PHASES)
      if (last && next !== last && isLegalMove(last, next) && !way.includes(next)) ways.push([...way, next]);
  }
  throw new Error(`no way to ${target}`);
}

export async function walkTo(
  contracts: ResourceClient<Contract>,
  contract: Contract,
  way: readonly ContractPhase[],
): Promise<Contract> {
  let current = contract;
  for (const phase of way) current = await contracts.updateStatus({ ...current, status: statusIn(phase) });
  return current;
}
