/** Looking, adopting and creating. Only under a lock, and broken off the moment the lock may have run out. */
import type { PendingContract } from '../../crds/wire/work-list.ts';
import type { CreatedInstance, CreateRequest, ListedInstance } from '../provisioner/provisioner.ts';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
import { begin, finish, type Grant } from '../state/record.ts';
import type { Context } from './context.ts';
import type { Step } from './decide-job.ts';
import { listOwn, refOf } from './own-machines.ts';
import type { Performing } from './performing.ts';
import { giveUp } from './removal.ts';

/** A listing that fails this often in a row fails the attempt: another agent may be luckier. */
const LISTINGS_FAILED_MAX = 3;

export async function listForBuild(job: Performing): Promise<void> {
  const { context, memory } = job;
  try {
    memory.machines = await context.mutex.run(memory.contractId, () => listOwn(job));
    memory.listingsFailed = 0;
  } catch (error) {
    const epoch = context.store.get(memory.contractId).grant?.epoch;
    memory.listingsFailed++;
    const isHopeless = memory.listingsFailed >= LISTINGS_FAILED_MAX;
    if (!(error instanceof ProvisionerError) || epoch === undefined || !isHopeless) throw error;
    giveUp(job, { epoch, class: error.class, message: error.message });
  }
}

/** Re-tags an interrupted machine of ours, and finishes it: `create` is idempotent by contract and epoch. */
export function adopt(job: Performing, { machine, grant }: Extract<Step, { type: 'Adopt' }>): Promise<void> {
  const { context } = job;
  return fenced(job, grant, async (signal) => {
    const tags = { epoch: grant.epoch, agentUid: context.identity.agentUid };
    await context.provisioner.adopt(refOf(machine, context), tags, { signal });
    job.memory.machines = [{ ...machine, ...tags }];
    context.log.info(
      { contract: machine.contractId, from: machine.epoch, to: grant.epoch },
      'machine adopted',
    );
  });
}

export function create(job: Performing, grant: Grant): Promise<void> {
  const { context, memory } = job;
  return fenced(job, grant, async (signal) => {
    const startedMs = context.clock.monotonicMs();
    const created = await context.provisioner.create(requestOf(context, grant), { signal });
    signal.throwIfAborted();
    context.store.change(memory.contractId, (record) =>
      record.grant?.epoch === grant.epoch ? finish(record, withoutUndefined(created)) : record,
    );
    const machine = listedAs(created, { context, grant, contractId: memory.contractId });
    memory.machines = [machine];
    job.onBuilt(machine);
    const ms = Math.round(context.clock.monotonicMs() - startedMs);
    const about = { contract: memory.contractId, epoch: grant.epoch, externalId: created.externalId, ms };
    context.log.info(about, 'machine created');
  });
}

/** Written down first; under the mutex; and with the lock's end as its own. What the provisioner refuses fails the attempt. */
async function fenced(
  job: Performing,
  grant: Grant,
  step: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { context, memory } = job;
  const { lock, contractId } = memory;
  if (!lock || lock.epoch !== grant.epoch) return;
  const signal = AbortSignal.any([job.signal, lock.signal]);
  try {
    await context.mutex.run(contractId, async () => {
      signal.throwIfAborted();
      context.store.change(contractId, (record) =>
        record.grant?.epoch === grant.epoch ? begin(record) : record,
      );
      await step(signal);
    });
  } catch (error) {
    memory.machines = undefined; // whatever it did before it broke off
    job.onBrokenOff(contractId);
    job.signal.throwIfAborted();
    if (lock.signal.aborted) return; // lost: decide again, with a claim
    if (!(error instanceof ProvisionerError)) throw error;
    if (error.class === 'capacity') {
      memory.isFull = true;
      job.onFull(grant.contract);
      return;
    }
    context.log.warn(
      { contract: contractId, epoch: grant.epoch, code: error.code, next: error.remedy },
      error.message,
    );
    giveUp(job, { epoch: grant.epoch, class: error.class, message: error.message });
  }
}

export function requestOf(
  { identity }: Pick<Context, 'identity'>,
  { contract, epoch }: Grant,
): CreateRequest {
  return {
    ...identity,
    contractId: contract.contractId,
    epoch,
    offeringId: contract.offeringId,
    cpuCores: contract.cpuCores,
    memoryMb: amountOf(contract.memoryAmount),
    storageGb: amountOf(contract.storageCapacity),
    sshPublicKeys: contract.requesterSshPubkey.split('\n').filter((key) => key.trim() !== ''),
    // What the offering fixes, no tenant changes: template, network, size are the provider's.
    instanceConfig: { ...objectOf(contract.instanceConfig), ...objectOf(contract.provisionerConfig) },
    postProvisionScript: contract.postProvisionScript,
  };
}

/** `N MB` or `N GB`: the unit is fixed by the field. */
const amountOf = (text: PendingContract['memoryAmount']): number | undefined => {
  const amount = Number.parseInt(text, 10);
  return Number.isFinite(amount) ? amount : undefined;
};

/** JSON in a string, as the reference protocol has it. */
function objectOf(json: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch (cause) {
    throw new ProvisionerError('ProgramAnswerInvalid', 'the configuration of the offering is not JSON', {
      remedy: 'Correct provisionerConfig of the offering.',
      class: 'configuration',
      cause,
    });
  }
}

const listedAs = (
  { externalId }: CreatedInstance,
  { context, grant, contractId }: Readonly<{ context: Context; grant: Grant; contractId: string }>,
): ListedInstance => ({
  ...context.identity,
  externalId,
  contractId,
  epoch: grant.epoch,
  state: 'Running',
  createdAt: context.clock.now().toISOString(),
});

/** As it is stored: a member that is undefined is absent. */
export function withoutUndefined({
  host,
  user,
  hostKeyFingerprint,
  ...rest
}: CreatedInstance): NonNullable<Grant['created']> {
  return {
    ...rest,
    addresses: [...rest.addresses],
    ...(host === undefined ? {} : { host }),
    ...(user === undefined ? {} : { user }),
    ...(hostKeyFingerprint === undefined ? {} : { hostKeyFingerprint }),
  };
}
