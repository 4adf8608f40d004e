/**
 * What stands on this host: the newest listing, and what was built since it began. Listings run beside buildings and
 * beside each other: one that ends late must not hide a machine that was built meanwhile, nor undo a newer one.
 */
import type { Clock } from '../../lib/clock.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';

export type Standing = Readonly<{
  listed: () => readonly ListedInstance[];
  /** A listing has been seen. */
  isKnown: () => boolean;
  noteListing: (machines: readonly ListedInstance[], beganMs: number) => void;
  noteBuilt: (machine: ListedInstance) => void;
  /** A building was broken off: half a machine may stand. */
  noteBrokenOff: (contractId: string) => void;
  /** Contracts of which nobody has looked since. */
  uncertain: () => Iterable<string>;
}>;

type Built = Readonly<{ machine: ListedInstance; atMs: number }>;

export function createStanding({ monotonicMs }: Pick<Clock, 'monotonicMs'>): Standing {
  let listed: readonly ListedInstance[] = [];
  let built: readonly Built[] = [];
  const brokenOffMs = new Map<string, number>();
  let newestMs: number | undefined;
  const withMachine = (machines: readonly ListedInstance[], machine: ListedInstance) => [
    ...machines.filter(({ externalId }) => externalId !== machine.externalId),
    machine,
  ];
  return {
    listed: () => listed,
    isKnown: () => newestMs !== undefined,
    noteListing: (machines, beganMs) => {
      if (newestMs !== undefined && beganMs < newestMs) return;
      newestMs = beganMs;
      built = built.filter(({ atMs }) => atMs >= beganMs);
      for (const [contractId, atMs] of brokenOffMs) if (atMs < beganMs) brokenOffMs.delete(contractId);
      listed = built.reduce((all, { machine }) => withMachine(all, machine), machines);
    },
    noteBuilt: (machine) => {
      built = [...built, { machine, atMs: monotonicMs() }];
      listed = withMachine(listed, machine);
    },
    noteBrokenOff: (contractId) => void brokenOffMs.set(contractId, monotonicMs()),
    uncertain: () => brokenOffMs.keys(),
  };
}
