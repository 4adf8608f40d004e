/**
 * The tenant's wishes about a running machine: power, restart, re-installation, keys. The facade orders one until
 * it hears that it was done, so nothing is repeated here: each order is carried out or, when the disk says that it
 * was, only reported. One at a time per contract, under its mutex, on a machine that a listing shows to be ours.
 */
import type { WorkItem } from '../../crds/wire/work-list.ts';
import { assertNever } from '../../lib/assert.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { messageOf } from '../failure.ts';
import type { InstanceRef, ListedInstance } from '../provisioner/provisioner.ts';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
import { reinstalled, wishesOf, withWish } from '../state/record.ts';
import { awaitSsh } from './await-ssh.ts';
import { requestOf, withoutUndefined } from './build.ts';
import { type Context, isOwn } from './context.ts';
import { refOf } from './own-machines.ts';
import { detailsOf } from './report.ts';

const FAILED_BACKOFF = { firstMs: 5000, maxMs: 300_000, factor: 2, jitter: 0.3 };
/** As long as a report may be. */
const MESSAGE_MAX = 4000;

export type WishItem = WorkItem & Readonly<{ action: Exclude<WorkItem['action'], 'Provision' | 'Destroy'> }>;

type Made = ReturnType<typeof withoutUndefined>;
type Done = Parameters<Context['facade']['applied']>[0];
type Outcome = Omit<Done, 'contractId' | 'epoch'>;

export type Wishes = Readonly<{
  /** Begins it, unless one of this contract is in hand or failed a moment ago. Never throws. */
  carryOut: (item: WishItem) => void;
  /** Resolves when nothing is in hand. */
  ended: () => Promise<void>;
}>;

export function createWishes(context: Context, signal: AbortSignal): Wishes {
  const inHand = new Map<string, Promise<void>>();
  const failures = new Map<string, { count: number; notBeforeMs: number }>();
  const attempt = async (item: WishItem): Promise<void> => {
    const { contractId, epoch, action } = item;
    try {
      const outcome = await context.mutex.run(contractId, () => perform(context, item, signal));
      failures.delete(contractId);
      if (outcome) await context.facade.applied({ contractId, epoch, ...outcome }, { signal });
    } catch (error) {
      if (signal.aborted) return;
      const count = (failures.get(contractId)?.count ?? 0) + 1;
      const notBeforeMs = context.clock.monotonicMs() + backoffMs(count - 1, FAILED_BACKOFF);
      failures.set(contractId, { count, notBeforeMs });
      context.log.warn({ contract: contractId, action, err: messageOf(error) }, 'wish not carried out');
      if (error instanceof ProvisionerError) await tell(context, { item, error, signal });
    }
  };
  return {
    carryOut: (item) => {
      const { contractId } = item;
      const waits = (failures.get(contractId)?.notBeforeMs ?? 0) > context.clock.monotonicMs();
      if (context.stopping.aborted || waits || inHand.has(contractId)) return;
      inHand.set(
        contractId,
        attempt(item).finally(() => inHand.delete(contractId)),
      );
    },
    ended: async () => void (await Promise.all(inHand.values())),
  };
}

/** What was done; undefined when there is no such machine here, which reconcile will tell. */
async function perform(context: Context, item: WishItem, signal: AbortSignal): Promise<Outcome | undefined> {
  const { contractId, epoch } = item;
  const machine = (await context.provisioner.list({ signal })).find(
    (it) => it.contractId === contractId && it.epoch === epoch && isOwn(it, context.identity),
  );
  if (!machine) return undefined;
  const wish = { context, item, machine, ref: refOf(machine, context), signal };
  switch (item.action) {
    case 'Start':
    case 'Stop':
      return setPower(wish, item.action === 'Stop');
    case 'Restart':
      return restart(wish);
    case 'Reinstall':
      return reinstall(wish);
    case 'SetSshKeys':
      return setKeys(wish);
    case 'ResetPassword':
      throw cannot('set a password', 'Log in with a key; change the keys of the contract.');
    default:
      return assertNever(item.action);
  }
}

type Performing = Readonly<{
  context: Context;
  item: WishItem;
  machine: ListedInstance;
  ref: InstanceRef;
  signal: AbortSignal;
}>;

async function setPower({ context, machine, ref, signal }: Performing, isStopped: boolean): Promise<Outcome> {
  context.store.change(machine.contractId, (record) =>
    record.isStoppedByOrder === isStopped ? record : { ...record, isStoppedByOrder: isStopped },
  );
  if (isStopped && machine.state !== 'Stopped') await context.provisioner.stop(ref, { signal });
  if (!isStopped && machine.state !== 'Running') await context.provisioner.start(ref, { signal });
  return { powerState: isStopped ? 'Stopped' : 'Running' };
}

/** Once: after a crash between stop and start it is only started. */
async function restart({ context, item, ref, signal }: Performing): Promise<Outcome> {
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
async function reinstall(wish: Performing): Promise<Outcome> {
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

async function setKeys({ context, item, ref, signal }: Performing): Promise<Outcome> {
  const { sshPublicKeys = [], sshKeysSHA256 } = item;
  if (!context.provisioner.setSshKeys || !sshKeysSHA256)
    throw cannot('change keys', 'Log in and change authorized_keys yourself.');
  await context.provisioner.setSshKeys(ref, sshPublicKeys, { signal });
  context.log.info({ contract: item.contractId, keys: sshPublicKeys.length }, 'SSH keys changed');
  return { sshKeysSHA256 };
}

const WISH_OF = {
  Start: 'Power',
  Stop: 'Power',
  Restart: 'Restart',
  Reinstall: 'Reinstall',
  SetSshKeys: 'SshKeys',
  ResetPassword: 'Password',
} as const satisfies Record<WishItem['action'], NonNullable<Done['failed']>['wish']>;

/** As the facade names this wish. */
const markOf = ({ action, count, sshKeysSHA256 }: WishItem): string => {
  if (action === 'Start') return 'Running';
  if (action === 'Stop') return 'Stopped';
  return sshKeysSHA256 ?? String(count ?? 0);
};

/** The provider reads why; that it could not be told is no second failure, the order comes again. */
async function tell(
  { facade, log }: Context,
  { item, error, signal }: Readonly<{ item: WishItem; error: ProvisionerError; signal: AbortSignal }>,
): Promise<void> {
  const { contractId, epoch, action } = item;
  const isFinal = error.class === 'permanent' || error.class === 'configuration';
  const message = error.message.slice(0, MESSAGE_MAX) || 'no reason was given';
  const failed = { wish: WISH_OF[action], mark: markOf(item), isFinal, message };
  await facade.applied({ contractId, epoch, failed }, { signal }).catch((cause: unknown) => {
    if (!signal.aborted) log.debug({ contract: contractId, err: messageOf(cause) }, 'failure not reported');
  });
}

const cannot = (what: string, remedy: string): ProvisionerError =>
  new ProvisionerError('ProgramRefused', `this provisioner cannot ${what}`, { remedy, class: 'permanent' });
