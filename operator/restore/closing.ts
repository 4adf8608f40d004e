/**
 * What PostgreSQL must know beside the machines that a contract has: which it has no more. Moved, when the contract
 * went on without it; Ended, when it was told to end. Derived from the status alone, so it is caught up by itself
 * after PostgreSQL was down; beside the agents' path, with a queue of its own. A contract that somebody deletes
 * past its end is Removed: its machine is an orphan, and no sign of an older world. Source: docs/contract.md, 12.
 */
import { type Contract, isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { isEnding } from '../../crds/contract/phase.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import type { Change } from '../../kube/informer.ts';
import { keyOf, type ObjectKey } from '../../kube/object.ts';
import type { Store } from '../../store/store.ts';
import type { OperatorDeps } from '../deps.ts';
import type { OperatorWorld } from './world.ts';

export type Closing =
  | Readonly<{ close: 'Below'; epoch: number }>
  | Readonly<{ close: 'All'; reason: string }>
  | undefined;

/** What of a contract's machines is closed by now; undefined: nothing. */
export function closingOf({ status }: LiveContract): Closing {
  const { attempts = [], instance, phase, epoch, reason = phase } = status;
  const hadMachine =
    instance !== undefined ||
    status.startsAt !== undefined ||
    attempts.some(({ outcome }) => outcome === 'Succeeded' || outcome === 'VerificationFailed');
  if (!hadMachine) return undefined;
  if (isEnding(phase)) return { close: 'All', reason };
  return { close: 'Below', epoch: instance?.epoch ?? epoch };
}

/** Deleted, as the API server said: not merely missing in a list, which may be one of an older world. */
export const removedUid = (change: Change<Contract>): string | undefined =>
  change.type === 'Deleted' && change.isWatched && isLive(change.object)
    ? change.object.metadata.uid
    : undefined;

const REMEMBERED_MAX = 50_000;
const RESTING_MS = 30_000;

type Deps = Pick<OperatorDeps, 'informers' | 'clock' | 'observe' | 'log'> &
  Readonly<{ store: Pick<Store, 'restore'>; world: Pick<OperatorWorld, 'isResolving'> }>;

export function closingController({ informers, store, world, clock, observe, log }: Deps): Controller {
  const { contracts } = informers;
  const done = new Map<string, string>();
  /** UIDs by key, until PostgreSQL knows that they are gone. */
  const removed = new Map<ObjectKey, readonly string[]>();
  return createController({
    name: 'contract-machines',
    clock,
    observe,
    log,
    workers: 2,
    sources: [
      {
        informer: contracts,
        mapToKeys: (change) => {
          const key = keyOf(change.object);
          const uid = removedUid(change);
          if (uid !== undefined) removed.set(key, [...(removed.get(key) ?? []), uid]);
          return [key];
        },
      },
    ],
    reconcile: async ({ key }) => {
      for (const uid of removed.get(key) ?? []) {
        await store.restore.closeAll(uid, 'Removed');
        const left = (removed.get(key) ?? []).filter((other) => other !== uid);
        if (left.length > 0) removed.set(key, left);
        else removed.delete(key);
        done.delete(uid);
      }
      const contract = contracts.cache.get(key);
      if (!contract || !isLive(contract)) return {};
      // An older status says nothing about what was closed since.
      if (world.isResolving()) return { requeueAfterMs: RESTING_MS };
      const closing = closingOf(contract);
      const uid = contract.metadata.uid ?? '';
      const mark = JSON.stringify(closing);
      if (!closing || done.get(uid) === mark) return {};
      if (closing.close === 'All') await store.restore.closeAll(uid, closing.reason);
      else await store.restore.closeBelow(uid, closing.epoch);
      done.set(uid, mark);
      const [oldest] = done.keys();
      if (done.size > REMEMBERED_MAX && oldest !== undefined) done.delete(oldest);
      return {};
    },
  });
}
