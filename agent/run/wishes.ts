/**
 * The tenant's wishes about a running machine: power, restart, re-installation, keys, password. The facade orders one until
 * it hears that it was done, so nothing is repeated here: each order is carried out or, when the disk says that it
 * was, only reported. One at a time per contract, under its mutex, on a machine that a listing shows to be ours.
 */
import { assertNever } from '../../lib/assert.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { messageOf } from '../failure.ts';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
import { type Context, isOwn } from './context.ts';
import { refOf } from './own-machines.ts';
import { setPassword } from './password.ts';
import { type Outcome, reinstall, restart, setKeys, setPower, type WishItem } from './upkeep.ts';

export type { WishItem } from './upkeep.ts';

const FAILED_BACKOFF = { firstMs: 5000, maxMs: 300_000, factor: 2, jitter: 0.3 };
/** As long as a report may be. */
const MESSAGE_MAX = 4000;

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
      return setPassword(wish);
    default:
      return assertNever(item.action);
  }
}

const WISH_OF = {
  Start: 'Power',
  Stop: 'Power',
  Restart: 'Restart',
  Reinstall: 'Reinstall',
  SetSshKeys: 'SshKeys',
  ResetPassword: 'Password',
} as const satisfies Record<WishItem['action'], NonNullable<Outcome['failed']>['wish']>;

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
