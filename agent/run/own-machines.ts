/** The machines of one contract that are ours: the only ones that are ever touched. */
import type { InstanceRef, ListedInstance } from '../provisioner/provisioner.ts';
import { type Context, isOwn } from './context.ts';
import type { Performing } from './performing.ts';

/** From the hypervisor, never from memory. Throws when it could not look. */
export async function listOwn(job: Performing): Promise<readonly ListedInstance[]> {
  const { context, memory } = job;
  return (await listAll(job)).filter(
    (machine) => machine.contractId === memory.contractId && isOwn(machine, context.identity),
  );
}

/** Every machine of this installation on this host, whoever built it. */
export async function listAll({
  context,
  signal,
  onListed,
}: Pick<Performing, 'context' | 'signal' | 'onListed'>): Promise<readonly ListedInstance[]> {
  const beganMs = context.clock.monotonicMs();
  const all = await context.provisioner.list({ signal });
  onListed(all, beganMs);
  return all;
}

/**
 * What must not be there when its absence is confirmed. Another agent's tag is no excuse: whoever inherited the
 * entry of a revoked agent and has not re-tagged its machine yet would confirm what still runs.
 */
export const leftOf = (
  all: readonly ListedInstance[],
  grant: Readonly<{ contractId: string; epoch: number }>,
): readonly ListedInstance[] =>
  all.filter(({ contractId, epoch }) => contractId === grant.contractId && epoch === grant.epoch);

export const refOf = (machine: ListedInstance, { identity }: Pick<Context, 'identity'>): InstanceRef => ({
  contractId: machine.contractId,
  epoch: machine.epoch,
  installation: machine.installation,
  agentUid: machine.agentUid ?? identity.agentUid,
  externalId: machine.externalId,
});
