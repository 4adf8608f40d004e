/**
 * How long each lock has gone without renewal, as this operator saw it on its monotonic clock. No two clocks
 * are ever compared; a new leader starts with nothing and therefore waits one TTL. docs/contract.md, 4.
 */
import type { Contract } from '../../crds/contract/contract.ts';

type Seen = Readonly<{ epoch: number; renewedAt: string; atMs: number }>;

export type LockWatch = Readonly<{
  /** Notes what the contract says now and answers the silence so far, 0 without a lock. */
  silentMs: (contract: Contract, monotonicMs: number) => number;
  forget: (uid: string) => void;
}>;

export function createLockWatch(): LockWatch {
  const seen = new Map<string, Seen>();
  return {
    silentMs: ({ metadata, status }, monotonicMs) => {
      const uid = metadata.uid ?? '';
      const lock = status?.lock;
      if (!lock) {
        seen.delete(uid);
        return 0;
      }
      const last = seen.get(uid);
      if (last && last.epoch === lock.epoch && last.renewedAt === lock.renewedAt)
        return monotonicMs - last.atMs;
      seen.set(uid, { epoch: lock.epoch, renewedAt: lock.renewedAt, atMs: monotonicMs });
      return 0;
    },
    forget: (uid) => void seen.delete(uid),
  };
}
