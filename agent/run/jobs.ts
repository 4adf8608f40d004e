/** All jobs of this process: at most one for each contract, so many building at a time, and counted against the room. */
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { drop, isSettled, order } from '../state/record.ts';
import { type Context, isOwn } from './context.ts';
import { type Job, startJob } from './job.ts';

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
  noteListing: (machines: readonly ListedInstance[]) => void;
  /** Resolves when every job has ended; they end by themselves once the agent stops. */
  ended: () => Promise<void>;
}>;

export function createJobs(context: Context): Jobs {
  const { store, limits, identity } = context;
  const jobs = new Map<string, Job>();
  let listed: readonly ListedInstance[] = [];
  const noteListing = (machines: readonly ListedInstance[]): void => {
    listed = machines.filter((machine) => isOwn(machine, identity));
  };
  const onBuilt = (machine: ListedInstance): void => {
    listed = [...listed.filter(({ externalId }) => externalId !== machine.externalId), machine];
  };
  const building = (): string[] => [...jobs.keys()].filter((id) => store.get(id).grant ?? claiming.has(id));
  const claiming = new Set<string>();
  /** What is listed and what is being built, without counting a contract twice. */
  const hasRoom = (contractId: string): boolean => {
    if (limits.maxInstances === undefined) return true;
    const taken = new Set([...listed.map((machine) => machine.contractId), ...building()]);
    taken.delete(contractId);
    return taken.size < limits.maxInstances;
  };
  const start = (contractId: string, offer?: WorkItem): void => {
    const job = startJob({ context, hasRoom, onListed: noteListing, onBuilt }, contractId, offer);
    jobs.set(contractId, job);
    if (offer) claiming.add(contractId);
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
      if (context.stopping.aborted || jobs.has(contractId) || !isFree || !hasRoom(contractId)) return false;
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
    running: () => listed.filter((machine) => machine.state !== 'Stopped').length,
    noteListing,
    ended: async () => {
      while (jobs.size > 0) await Promise.all([...jobs.values()].map(({ done }) => done));
    },
  };
}
