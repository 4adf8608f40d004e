/** How a hypervisor of a test treats a call: a test says it per call, and says nothing when all is well. */
import type { ListedInstance } from '../../../agent/provisioner/provisioner.ts';
import type { ErrorClass } from '../../../agent/provisioner/provisioner-error.ts';

export type HypervisorCall = Readonly<{
  action: 'create' | 'adopt' | 'destroy' | 'start' | 'stop' | 'setPassword' | 'observe' | 'list';
  host: string;
  /** Who asks; undefined for `list`. */
  agentUid: string | undefined;
  contractId: string | undefined;
  epoch: number | undefined;
}>;

/** All absent: done at once and truthfully. They combine: `{ slowMs: 50, fail: … }` fails late. */
export type Treatment = Readonly<{
  /** How long it takes; half a machine stands meanwhile. A broken off call leaves it standing. */
  slowMs?: number;
  /** Never ends by itself; half a machine stands. */
  hang?: boolean;
  /** Fails with this class; `Half` leaves half a machine standing. */
  fail?: Readonly<{ class: ErrorClass; message?: string; leaves?: 'Half' | 'Nothing' }>;
  /** The program dies without an answer: half-way, or when all is done. */
  die?: 'HalfWay' | 'Done';
  /** What `list` says instead of the truth. */
  lie?: (truth: readonly ListedInstance[]) => readonly ListedInstance[];
}>;

export type Treat = (call: HypervisorCall) => Treatment | undefined;
