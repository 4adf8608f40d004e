/**
 * Whether this host can take one more: by the number of machines that it may have, and by what its provisioner
 * said. Where it had no room nothing that is as large is asked for again, until a machine has gone or a while has
 * passed: an agent that claims and gives back in a circle keeps contracts from other hosts.
 */
import type { PendingContract } from '../../crds/wire/work-list.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';

/** Room can also come from what is none of our machines. */
export const FULL_FOR_MS = 60_000;

export type Room = Readonly<{
  /** Beside all others that stand or are being built. */
  has: (contractId: string) => boolean;
  /** Not as large as what had no room a moment ago. */
  mayFit: (contract: PendingContract | undefined) => boolean;
  /** The provisioner had no room for it. */
  noteFull: (contract: PendingContract) => void;
  /** All machines of ours, as a listing has them. */
  noteListing: (machines: readonly ListedInstance[]) => void;
  noteBuilt: (machine: ListedInstance) => void;
  listed: () => readonly ListedInstance[];
}>;

type Parts = Readonly<{
  clock: Clock;
  maxInstances: number | undefined;
  /** Contracts that are claimed or built at the moment. */
  building: () => readonly string[];
}>;

type TooLarge = Readonly<{ contract: PendingContract; atMs: number; machines: number }>;

export function createRoom({ clock, maxInstances, building }: Parts): Room {
  let listed: readonly ListedInstance[] = [];
  let tooLarge: readonly TooLarge[] = [];
  return {
    has: (contractId) => {
      if (maxInstances === undefined) return true;
      const taken = new Set([...listed.map((machine) => machine.contractId), ...building()]);
      taken.delete(contractId);
      return taken.size < maxInstances;
    },
    mayFit: (contract) => {
      tooLarge = tooLarge.filter(
        ({ atMs, machines }) => clock.monotonicMs() - atMs < FULL_FOR_MS && listed.length >= machines,
      );
      return !contract || !tooLarge.some((known) => isAsLarge(contract, known.contract));
    },
    noteFull: (contract) => {
      const entry = { contract, atMs: clock.monotonicMs(), machines: listed.length };
      tooLarge = [...tooLarge.filter((known) => !isAsLarge(known.contract, contract)), entry];
    },
    noteListing: (machines) => {
      listed = machines;
    },
    noteBuilt: (machine) => {
      listed = [...listed.filter(({ externalId }) => externalId !== machine.externalId), machine];
    },
    listed: () => listed,
  };
}

/** In every dimension. */
const isAsLarge = (a: PendingContract, b: PendingContract): boolean =>
  a.cpuCores >= b.cpuCores &&
  Number.parseInt(a.memoryAmount, 10) >= Number.parseInt(b.memoryAmount, 10) &&
  Number.parseInt(a.storageCapacity, 10) >= Number.parseInt(b.storageCapacity, 10);
