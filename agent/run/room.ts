/**
 * Whether this host can take one more: by what it may be promised for (the answer to a heartbeat says it), less what
 * stands and is being built, and by what its provisioner said. The sums are the agent's own: those of the facades may
 * be late or blind. Where the provisioner had no room nothing that is as large is asked for again, until a machine has
 * gone or a while has passed: an agent that claims and gives back in a circle keeps contracts from other hosts.
 */
import { type Amounts, firstLack, NO_END, NOTHING, plus } from '../../crds/placement/amounts.ts';
import { promisedAmounts } from '../../crds/placement/capacity.ts';
import type { Promised } from '../../crds/wire/amounts.ts';
import type { PendingContract } from '../../crds/wire/work-list.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { wantedBy } from '../state/size.ts';
import { createStanding } from './standing.ts';

/** Room can also come from what is none of our machines. */
export const FULL_FOR_MS = 60_000;

export type Room = Readonly<{
  /** Beside all others that stand or are being built. */
  has: (contractId: string, wanted: Amounts) => boolean;
  /** Not as large as what had no room a moment ago. */
  mayFit: (contract: PendingContract | undefined) => boolean;
  /** What the host may be promised for; undefined: nobody says, and only `maxInstances` limits. */
  notePromised: (promised: Promised | undefined) => void;
  /** The provisioner had no room for it. */
  noteFull: (contract: PendingContract) => void;
  /** All machines of ours, as a listing has them that began then. */
  noteListing: (machines: readonly ListedInstance[], beganMs: number) => void;
  noteBuilt: (machine: ListedInstance) => void;
  /** A building of it was broken off: half a machine may stand, until a listing says otherwise. */
  noteBrokenOff: (contractId: string) => void;
  listed: () => readonly ListedInstance[];
}>;

type Parts = Readonly<{
  clock: Clock;
  maxInstances: number | undefined;
  /** Contracts of which a machine is being built or removed, or will be in a moment, listed or not. */
  unfinished: () => Iterable<string>;
  /** Those of which one may stand as far as the disk knows: they count until a listing says better. */
  remembered: () => Iterable<string>;
  /** Undefined: nobody remembers. */
  sizeOf: (contractId: string) => Amounts | undefined;
}>;

type TooLarge = Readonly<{ contract: PendingContract; atMs: number; machines: number }>;

export function createRoom({ clock, maxInstances = NO_END, ...parts }: Parts): Room {
  const standing = createStanding(clock);
  let total: Amounts = { ...promisedAmounts({}), instances: maxInstances };
  let tooLarge: readonly TooLarge[] = [];
  const usedBeside = (contractId: string): Amounts => {
    const others = new Map(standing.listed().map((machine) => [machine.contractId, machine.size]));
    const more = standing.isKnown() ? [] : [...parts.remembered()];
    for (const id of [...parts.unfinished(), ...standing.uncertain(), ...more])
      if (!others.has(id)) others.set(id, undefined);
    others.delete(contractId);
    return [...others]
      .map(([id, size]) => ({ ...NOTHING, ...(parts.sizeOf(id) ?? size), instances: 1 }))
      .reduce(plus, NOTHING);
  };
  return {
    has: (contractId, wanted) => {
      const isLimited = Object.values(total).some((amount) => amount < NO_END);
      return !isLimited || firstLack({ total, used: usedBeside(contractId), wanted }) === undefined;
    },
    mayFit: (contract) => {
      tooLarge = tooLarge.filter(
        ({ atMs, machines }) =>
          clock.monotonicMs() - atMs < FULL_FOR_MS && standing.listed().length >= machines,
      );
      return !contract || !tooLarge.some((known) => isAsLarge(contract, known.contract));
    },
    notePromised: (promised = {}) => {
      const heard = promisedAmounts(promised);
      total = { ...heard, instances: Math.min(heard.instances, maxInstances) };
    },
    noteFull: (contract) => {
      const entry = { contract, atMs: clock.monotonicMs(), machines: standing.listed().length };
      tooLarge = [...tooLarge.filter((known) => !isAsLarge(known.contract, contract)), entry];
    },
    noteListing: standing.noteListing,
    noteBuilt: standing.noteBuilt,
    noteBrokenOff: standing.noteBrokenOff,
    listed: standing.listed,
  };
}

/** In every dimension. */
function isAsLarge(a: PendingContract, b: PendingContract): boolean {
  const [one, other] = [wantedBy(a), wantedBy(b)];
  return (
    one.cpuMilli >= other.cpuMilli &&
    one.memoryBytes >= other.memoryBytes &&
    one.storageBytes >= other.storageBytes &&
    one.gpus >= other.gpus
  );
}
