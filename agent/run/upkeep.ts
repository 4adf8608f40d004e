/**
 * What an agent does of one wish about a running machine, a function each. Each may be ordered again after a crash
 * at any point, and is then not done a second time: what was begun and done is on disk.
 */
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { InstanceRef, ListedInstance } from '../provisioner/provisioner.ts';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
import { reinstalled, wishesOf, withWish } from '../state/record.ts';
import { awaitSsh } from './await-ssh.ts';
import { requestOf, withoutUndefined } from './build.ts';
import type { Context } from './context.ts';
import { detailsOf } from './report.ts';

export type WishItem = WorkItem & Readonly<{ action: Exclude<WorkItem['action'], 'Provision' | 'Destroy'> }>;

type Made = ReturnType<typeof withoutUndefined>;
/** What is said of it. */
export type Outcome = Omit<Parameters<Context['facade']['applied']>[0], 'contractId' | 'epoch'>;

export type Performing = Readonly<{
  context: Context;
  item: WishItem;
  machine: ListedInstance;
  ref: InstanceRef;
  signal: AbortSignal;
}>;

export async function setPower(
  { context, machine, ref, signal }: Performing,
  isStopped: boolean,
): Promise<Outcome> {
  context.store.change(machine.contractId, (record) =>
    record.isStoppedByOrder === isStopped ? record : { ...record, isStoppedByOrder: isStopped },
  );
  if (isStopped && machine.state !== 'Stopped') await context.provisioner.stop(ref, { signal });
  if (!isStopped && machine.state !== 'Running') await context.provisioner.start(ref, { signal });
  return { powerState: isStopped ? 'Stopped' : 'Running' };
}

/** Once: after a crash between stop and start it is only started. */
export async function restart({ context, item, ref, signal }: Performing): Promise<Outcome> {
  const { contractId, epoch, count = 0 } = item;
  const done = wishesOf(context.store.get(contractId), item);
  if ((done.restart ?? 0) >= count) return { restart: done.restart ?? count };
  if (done.restartBegun !== count) {
    context.store.change(contractId, (record) => withWish(record, { epoch, restartBegun: count }));
    await context.provisioner.stop(ref, { signal });
  }
  await context.provisioner.start(ref, { signal });
  context.store.change(contractId, (record) => withWish(record, { epoch, restart: count }));
  context.log.info({ contract: contractId, count }, 'machine restarted');
  return { restart: count };
}

/** On disk the moment it was made: asked again, nothing on the machine is wiped a second time. */
export async function reinstall(wish: Performing): Promise<Outcome> {
  const { context, item, signal } = wish;
  const { contractId, epoch, count = 0 } = item;
  const record = context.store.get(contractId);
  const done = wishesOf(record, item);
  if ((done.reinstall ?? 0) >= count && record.reported)
    return { reinstall: done.reinstall ?? count, instanceDetails: record.reported.details };
  const created = done.made?.count === count ? done.made.created : await makeAnew(wish, count);
  const at = await seen(context, created, signal);
  const details = detailsOf(created, { at, hostKeyFingerprint: created.hostKeyFingerprint });
  context.store.change(contractId, (it) => reinstalled(it, { epoch, count, details }));
  context.log.info({ contract: contractId, count }, 'machine re-installed');
  return { reinstall: count, instanceDetails: details };
}

async function makeAnew({ context, item, ref, signal }: Performing, count: number): Promise<Made> {
  const { contractId, epoch, contract } = item;
  if (!context.provisioner.reinstall || !contract)
    throw cannot('re-install a machine', 'Cancel the contract and rent another one.');
  const grant = { epoch, acceptedAt: context.clock.now().toISOString(), contract };
  const created = withoutUndefined(
    await context.provisioner.reinstall(ref, requestOf(context, grant), { signal }),
  );
  context.store.change(contractId, (record) => withWish(record, { epoch, made: { count, created } }));
  return created;
}

/** When it was seen to answer; undefined when nobody can look. */
async function seen(context: Context, created: Made, signal: AbortSignal): Promise<string | undefined> {
  const { host } = created;
  if (created.isConfirmed || host === undefined) return undefined;
  const answer = await awaitSsh(context, { ...created, host }, signal);
  if ('why' in answer)
    throw new ProvisionerError('ProgramFailed', answer.why, {
      remedy: 'Look at the console of the machine.',
    });
  return context.clock.now().toISOString();
}

export async function setKeys({ context, item, ref, signal }: Performing): Promise<Outcome> {
  const { sshPublicKeys = [], sshKeysSHA256 } = item;
  if (!context.provisioner.setSshKeys || !sshKeysSHA256)
    throw cannot('change keys', 'Log in and change authorized_keys yourself.');
  const { contractId, epoch } = item;
  // The order comes again until the facade has heard of it; meanwhile the tenant may have changed them itself.
  const { keys, made } = wishesOf(context.store.get(contractId), item);
  const system = made?.count ?? 0;
  if (keys?.system === system && keys.sshKeysSHA256 === sshKeysSHA256) return { sshKeysSHA256 };
  await context.provisioner.setSshKeys(ref, sshPublicKeys, { signal });
  context.store.change(contractId, (record) => withWish(record, { epoch, keys: { system, sshKeysSHA256 } }));
  context.log.info({ contract: contractId, keys: sshPublicKeys.length }, 'SSH keys changed');
  return { sshKeysSHA256 };
}

export const cannot = (what: string, remedy: string): ProvisionerError =>
  new ProvisionerError('ProgramRefused', `this provisioner cannot ${what}`, { remedy, class: 'permanent' });
