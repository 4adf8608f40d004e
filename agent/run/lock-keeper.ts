/**
 * Keeps one lock: renews it at a third of its life in a task of its own, and aborts `signal` the moment it may
 * have run out. Its end is counted on the monotonic clock from before the request that was answered.
 */
import type { LockResponse } from '../../crds/wire/lock.ts';
import type { Timer } from '../../lib/clock.ts';
import type { Grant } from '../facade.ts';
import type { Context } from './context.ts';
import { judgeRenewal, type Outcome } from './decide-answer.ts';

/** Why a step is broken off. */
export class LockLost extends Error {
  override readonly name = 'LockLost';
}

export type HeldLock = Readonly<{
  epoch: number;
  ttlMs: () => number;
  leftMs: () => number;
  /** Aborted with LockLost when the lock lapsed. */
  signal: AbortSignal;
  /** Resolves at the next renewal, or when the lock is lost or ended. */
  renewed: () => Promise<void>;
  /** No renewal any more; the lock stays where it is. */
  end: () => void;
}>;

type Granted = Readonly<{
  grant: Grant;
  answer: LockResponse;
  /** Monotonic, from before the claim was sent. */
  sentAtMs: number;
  /** The facade said Destroy. */
  onDestroy: () => void;
}>;

export type LockKeeperDeps = Pick<Context, 'clock' | 'log'> &
  Readonly<{
    facade: Pick<Context['facade'], 'renew'>;
    limits: Pick<Context['limits'], 'lockTimeoutMs'>;
  }>;

export function keepLock(context: LockKeeperDeps, { grant, answer, sentAtMs, onDestroy }: Granted): HeldLock {
  const { clock, limits, log } = context;
  const lost = new AbortController();
  const ended = new AbortController();
  let ttlMs = 0;
  let endsAtMs = 0;
  let expiry: Timer | undefined;
  let waiters: (() => void)[] = [];
  const wake = (): void => {
    for (const resolve of waiters.splice(0)) resolve();
  };
  const lose = (why: string): void => {
    if (lost.signal.aborted || ended.signal.aborted) return;
    log.warn({ contract: grant.contractId, epoch: grant.epoch, why }, 'lock lost');
    lost.abort(new LockLost(why));
    stop();
  };
  const stop = (): void => {
    expiry?.cancel();
    ended.abort(new Error('the lock is not kept any more'));
    wake();
  };
  const extend = ({ expiresInMs = 0 }: LockResponse, from: number): void => {
    ttlMs = Math.min(expiresInMs, limits.lockTimeoutMs);
    endsAtMs = from + ttlMs;
    expiry?.cancel();
    expiry = clock.after(endsAtMs - clock.monotonicMs(), () => lose('it ran out before it could be renewed'));
    wake();
  };
  extend(answer, sentAtMs);

  /** Answers how long to wait before the next one: soon, when nobody knows how this one ended. */
  const renewOnce = async (): Promise<number> => {
    const from = clock.monotonicMs();
    const outcome = await outcomeOf(
      context.facade.renew(grant, { signal: ended.signal, deadlineMs: Math.max(500, ttlMs / 3) }),
    );
    if (ended.signal.aborted) return 0;
    const verdict = judgeRenewal(outcome);
    if (verdict === 'Extend' && 'answer' in outcome) extend(outcome.answer, from);
    if (verdict === 'Lapse') lose('the facade does not count it any more');
    if (verdict === 'Destroy') {
      stop();
      onDestroy();
    }
    if (verdict === 'Retry')
      log.warn({ contract: grant.contractId, ...outcome }, 'lock not renewed, trying again');
    return verdict === 'Retry' ? ttlMs / 15 : ttlMs / 3;
  };
  const loop = async (): Promise<void> => {
    for (let waitMs = ttlMs / 3; !ended.signal.aborted; waitMs = await renewOnce())
      await clock.sleep(waitMs, { signal: ended.signal });
  };
  loop().catch((error: unknown) => {
    if (!ended.signal.aborted) lose(`it could not be renewed: ${String(error)}`);
  });

  return {
    epoch: grant.epoch,
    ttlMs: () => ttlMs,
    leftMs: () => (ended.signal.aborted ? 0 : Math.max(0, endsAtMs - clock.monotonicMs())),
    signal: lost.signal,
    renewed: () => {
      if (ended.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        waiters = [...waiters, resolve];
      });
    },
    end: stop,
  };
}

export const outcomeOf = <A>(call: Promise<A>): Promise<Outcome<A>> =>
  call.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
