/**
 * Giving up and removing. On disk first that the epoch was given up, then the hypervisor, then a listing that
 * shows it gone, and only then word of it. Only machines with our contract, epoch and agent are ever touched.
 */

import type { ErrorClass } from '../provisioner/provisioner-error.ts';
import { confirmAbsent, fail, order } from '../state/record.ts';
import { leftOf, listAll, listOwn, refOf } from './own-machines.ts';
import type { Performing } from './performing.ts';

/** As long as a report may be. */
const MESSAGE_MAX = 4000;

type Failure = Readonly<{ epoch: number; class: ErrorClass; message: string }>;

/** The attempt failed: nothing of this epoch is created or reported any more. The report follows. */
export function giveUp({ context, memory }: Performing, failure: Failure): void {
  const message = failure.message.slice(0, MESSAGE_MAX) || 'no reason was given';
  context.store.change(memory.contractId, (record) => fail(record, { ...failure, message }));
  endLock(memory);
}

/** The listing that was decided on shows nothing of ours, and nothing can come: the grant goes back. */
export function noRoom({ context, memory }: Performing, epoch: number): void {
  context.store.change(memory.contractId, (record) => confirmAbsent(record, { epoch, as: 'NoRoom' }));
  endLock(memory);
  context.log.info({ contract: memory.contractId, epoch }, 'no room: given back');
}

/** A machine of an older grant that must not be adopted. */
export function doomOlder({ context, memory }: Performing, epoch: number): void {
  context.store.change(memory.contractId, (record) => order(record, epoch));
}

/** Destroys what is there of exactly this epoch and writes down that a listing shows it gone. */
export function remove(job: Performing, epoch: number): Promise<void> {
  const { context, memory, signal } = job;
  const { contractId } = memory;
  return context.mutex.run(contractId, async () => {
    const found = await listOwn(job);
    const doomed = found.filter((machine) => machine.epoch === epoch);
    for (const machine of doomed) {
      context.log.info({ contract: contractId, epoch, externalId: machine.externalId }, 'destroying');
      await context.provisioner.destroy(refOf(machine, context), { signal });
    }
    if (found.length === 0 && context.store.get(contractId).begun === epoch) await sweep(job, epoch);
    const [left] = leftOf(await listAll(job), { contractId, epoch });
    memory.machines = undefined;
    if (left)
      throw new Error(
        `${left.externalId} of agent ${left.agentUid} is still listed; it is not confirmed absent`,
      );
    context.store.change(contractId, (record) => confirmAbsent(record, { epoch, as: 'Terminated' }));
    context.log.info({ contract: contractId, epoch }, 'nothing left of this epoch');
  });
}

/**
 * A building that was broken off may have left what no listing shows. Only its provisioner knows, by the name
 * that every machine of a contract has; that it finds nothing is the usual case and no failure.
 */
async function sweep({ context, memory, signal }: Performing, epoch: number): Promise<void> {
  const { contractId } = memory;
  const ref = { ...context.identity, contractId, epoch, externalId: `dc-${contractId}` };
  try {
    await context.provisioner.destroy(ref, { signal });
  } catch (error) {
    signal.throwIfAborted();
    context.log.debug({ contract: contractId, epoch, err: error }, 'nothing to sweep');
  }
}

function endLock(memory: Performing['memory']): void {
  memory.lock?.end();
  memory.lock = undefined;
}
