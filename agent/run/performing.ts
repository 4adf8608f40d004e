/** What the steps of a job are given: whom they speak to, what the job remembers, and how it is broken off. */
import type { Amounts } from '../../crds/placement/amounts.ts';
import type { PendingContract, WorkItem } from '../../crds/wire/work-list.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import type { Context } from './context.ts';
import type { HeldLock } from './lock-keeper.ts';

/** What a job knows beside the store; lost in a crash, and found again. */
export type Memory = {
  readonly contractId: string;
  offer: WorkItem | undefined;
  lock: HeldLock | undefined;
  machines: readonly ListedInstance[] | undefined;
  /** The provisioner said so. */
  isFull: boolean;
  verified: Readonly<{ hostKeyFingerprint?: string | undefined; at?: string | undefined }> | undefined;
  listingsFailed: number;
};

export type JobDeps = Readonly<{
  context: Context;
  /** Is there room on this host for one more beside all others. */
  hasRoom: (contractId: string, wanted: Amounts) => boolean;
  /** Every successful listing and when it began, for whoever counts. */
  onListed: (machines: readonly ListedInstance[], beganMs: number) => void;
  /** One more since then. */
  onBuilt: (machine: ListedInstance) => void;
  /** A building was broken off: nobody knows what stands of it. */
  onBrokenOff: (contractId: string) => void;
  /** The provisioner has no room for this. */
  onFull: (contract: PendingContract) => void;
}>;

export type Performing = JobDeps &
  Readonly<{
    memory: Memory;
    /** Aborted when what the step works on was given up, or the agent must end. */
    signal: AbortSignal;
    orderEpoch: (epoch: number) => void;
    pause: (ms: number) => Promise<void>;
  }>;
