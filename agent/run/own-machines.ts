/** The machines of one contract that are ours: the only ones that are ever touched. */
import type { InstanceRef, ListedInstance } from '../provisioner/provisioner.ts';
import { type Context, isOwn } from './context.ts';
import type { Performing } from './perform.ts';

/** From the hypervisor, never from memory. Throws when it could not look. */
export async function listOwn({
  context,
  memory,
  signal,
  onListed,
}: Performing): Promise<readonly ListedInstance[]> {
  const all = await context.provisioner.list({ signal });
  onListed(all);
  return all.filter(
    (machine) => machine.contractId === memory.contractId && isOwn(machine, context.identity),
  );
}

export const refOf = (machine: ListedInstance, { identity }: Pick<Context, 'identity'>): InstanceRef => ({
  contractId: machine.contractId,
  epoch: machine.epoch,
  installation: machine.installation,
  agentUid: machine.agentUid ?? identity.agentUid,
  externalId: machine.externalId,
});
