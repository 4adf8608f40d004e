/** All jobs of this process: at most one for each contract, so many building at a time, and counted against the room. */
import { type Amounts, NOTHING } from '../../crds/placement/amounts.ts';
import type { Promised } from '../../crds/wire/amounts.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { drop, isSettled, order } from '../state/record.ts';
import { isUnfinished, mayStand, sizeOf, wantedBy } from '../state/size.ts';
import { type Context, isOwn } from './context.ts';
import { type Job, startJob } from './job.ts';
import { createRoom } from './room.ts';

export type Jobs = Readonly<{
  /** False: it is worked on already, all places are taken, or there is no room. Offered again, it is asked again. */
  offer: (item: WorkItem) => boolean;
  /** The machine of exactly this epoch must go. */
  order: (contractId: string, epoch: number) => void;
  /** The world is another one: everything that was granted or ordered is dropped, the machines stay. */
  drop: () => void;
  /** Goes on with what the process before this one left undone. */
  resume: () => void;
  isBusy: (contractId: string) => boolean;
  /** Machines of ours at the last listing, for the heartbeat. */
  running: () => number;
  noteListing: (machines: readonly ListedInstance[], beganMs: number) => void;
  /** What this host may be promised for, as the last heartbeat was answered. */
  notePromised: (promised: Promised | undefined) => void;
  /** Resolves when every job has ended; they end by themselves once the agent stops. */
  ended: () => Promise<void>;
}>;

export function createJobs(context: Context): Jobs {
  const { store, limits, identity } = context;
  const jobs = new Map<string, Job>();
  const building = (): string[] => [...jobs.keys()].filter((id) => store.get(id).grant ?? claiming.has(id));
  const claiming = new Map<string, Amounts>();
  const idsOf = (wanted: typeof mayStand): string[] =>
    store.all().flatMap((record) => (wanted(record) ? record.contractId : []));
  const room = createRoom({
    clock: context.clock,
    maxInstances: limits.maxInstances,
    unfinished: () => [...claiming.keys(), ...idsOf(isUnfinished)],
    remembered: () => idsOf(mayStand),
    sizeOf: (contractId) => claiming.get(contractId) ?? sizeOf(store.get(contractId)),
  });
  const noteListing = (machines: readonly ListedInstance[], beganMs: number): void =>
    room.noteListing(
      machines.filter((machine) => isOwn(machine, identity)),
      beganMs,
    );
  const start = (contractId: string, offer?: WorkItem): void => {
    const job = startJob(
      {
        context,
        hasRoom: room.has,
        onListed: noteListing,
        onBuilt: room.noteBuilt,
        onBrokenOff: room.noteBrokenOff,
        onFull: room.noteFull,
      },
      contractId,
      offer,
    );
    jobs.set(contractId, job);
    if (offer) claiming.set(contractId, wantedOf(offer));
    void job.done.then((isComplete) => {
      jobs.delete(contractId);
      claiming.delete(contractId);
      // An order may have come while the loop was ending.
      const isLeft = isComplete && store.get(contractId).doomed.length > 0;
      if (isLeft && !context.stopping.aborted) start(contractId);
    });
  };
  return {
    offer: (item) => {
      const { contractId } = item;
      const isFree = building().length < limits.maxConcurrent;
      if (context.stopping.aborted || jobs.has(contractId) || !isFree) return false;
      if (!room.has(contractId, wantedOf(item)) || !room.mayFit(item.contract)) return false;
      start(contractId, item);
      return true;
    },
    order: (contractId, epoch) => {
      const job = jobs.get(contractId);
      if (job) return job.order(epoch);
      const after = store.change(contractId, (record) => order(record, epoch));
      if (!isSettled(after)) start(contractId);
    },
    drop: () => {
      for (const job of jobs.values()) job.drop();
      for (const { contractId } of store.all()) store.change(contractId, drop);
    },
    resume: () => {
      for (const record of store.all()) if (!isSettled(record)) start(record.contractId);
    },
    isBusy: (contractId) => jobs.has(contractId),
    running: () => room.listed().filter((machine) => machine.state !== 'Stopped').length,
    noteListing,
    notePromised: room.notePromised,
    ended: async () => {
      while (jobs.size > 0) await Promise.all([...jobs.values()].map(({ done }) => done));
    },
  };
}

const wantedOf = ({ contract }: WorkItem): Amounts =>
  contract ? wantedBy(contract) : { ...NOTHING, instances: 1 };
