/**
 * The whole world of one scenario as one immutable value: what the API server stores, what each process knows
 * (volatile) and has on disk, what stands on the hypervisors, what is on its way. Instants are milliseconds since
 * NOON. A move gives a new world that shares what did not change.
 */
import type { ListedInstance } from '../../agent/provisioner/provisioner.ts';
import type { ContractRecord } from '../../agent/state/record.ts';
import type { OwedDestroy } from '../../crds/agent.ts';
import type { SessionRecord } from '../../crds/agent-session.ts';
import { NOON } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { ReconcileResponse } from '../../crds/wire/reconcile.ts';
import type { Decision } from '../../operator/contract/facts.ts';

/** What an agent asks a facade. */
export type Call =
  | Readonly<{ type: 'Claim'; observedEpoch: number; regains?: number }>
  | Readonly<{ type: 'Renew'; epoch: number }>
  | Readonly<{ type: 'Provisioned'; epoch: number; isVerified: boolean }>
  | Readonly<{
      type: 'Failed';
      epoch: number;
      class: 'transient' | 'permanent' | 'capacity' | 'configuration';
    }>
  | Readonly<{ type: 'Release'; epoch: number }>
  | Readonly<{ type: 'Terminated'; epoch: number }>
  | Readonly<{ type: 'Reconcile'; listed: readonly ListedInstance[] }>;

/** Who waits for the answer: the job of a contract, the keeper of its lock, or the inventory of the process. */
export type Slot = 'Job' | 'Keeper' | 'Inventory';

export type Answer = Readonly<{
  acquired?: boolean;
  epoch?: number;
  expiresInMs?: number;
  then?: 'Continue' | 'Destroy';
  orders?: ReconcileResponse;
}>;
export type Reply =
  | Readonly<{ answer: Answer }>
  | Readonly<{ problem: Readonly<{ code: string; status: number; retryable: boolean; data: unknown }> }>
  /** Nobody knows whether the call had an effect. */
  | Readonly<{ silence: true }>;

type Address = Readonly<{
  process: number;
  contract: number;
  slot: Slot;
  session: string;
  incarnation: number;
}>;
export type Request = Address &
  Readonly<{ to: 'Facade'; call: Call /** Nobody waits any more. */; isGhost: boolean }>;
export type Response = Address & Readonly<{ to: 'Agent'; call: Call; reply: Reply }>;
export type Message = Request | Response;

export type Doing =
  /** On disk already; not sent yet. */
  | Readonly<{ at: 'Sending'; call: Call }>
  | Readonly<{ at: 'Waiting'; call: Call; sentAtMs: number }>
  /** On disk that it was begun; the hypervisor was not asked yet. */
  | Readonly<{ at: 'Begun'; epoch: number; adopts: number | undefined }>
  | Readonly<{ at: 'Making' | 'Made' | 'Removed'; epoch: number }>;

export type HeldLock = Readonly<{
  epoch: number;
  ttlMs: number;
  endsAtMs: number;
  renewAtMs: number;
  sentAtMs: number | undefined;
}>;

/** One contract in one process: all of it is lost in a crash. */
export type Job = Readonly<{
  isRunning: boolean;
  offer: number | undefined;
  lock: HeldLock | undefined;
  machines: readonly Machine[] | undefined;
  isFull: boolean;
  isVerified: boolean;
  doing: Doing | undefined;
}>;
export const IDLE: Job = {
  isRunning: false,
  offer: undefined,
  lock: undefined,
  machines: undefined,
  isFull: false,
  isVerified: false,
  doing: undefined,
};

/** A process of an agent. Two of one agent are a clone: same key, same hypervisor, a copy of the disk. */
export type AgentProcess = Readonly<{
  agent: number;
  host: number;
  isUp: boolean;
  /** A clone is started by a fault, and stopped by a person. */
  isClone: boolean;
  session: string;
  isAcknowledged: boolean;
  isDuplicate: boolean;
  jobs: readonly Job[];
  /** Waiting: an inventory was sent. Otherwise the epochs that are still to be ordered away. */
  inventory: 'Waiting' | undefined;
}>;

export type Disk = Readonly<{ incarnation: number; records: readonly ContractRecord[] }>;

/** Half a machine may be without tags: then no listing shows it. */
export type Machine = Readonly<{ epoch: number; agent: number; isMade: boolean; isListed: boolean }>;

type Mark = Readonly<{ mark: string; sinceMs: number }>;
/** A decision that is being carried out: its effects, one by one, then the status. */
export type Pending = Readonly<{ contract: Contract; decision: Decision; step: number }>;
export type OperatorProcess = Readonly<{
  caches: readonly (Contract | undefined)[];
  marks: readonly (Mark | undefined)[];
  pendings: readonly (Pending | undefined)[];
}>;

/** What may still go wrong; undefined stands for never. */
export type Budget = Readonly<{
  /** Requests and replies lost, doubled, late. */
  network: number;
  agentCrash: number;
  operatorCrash: number;
  /** The provisioner fails, or the machine does not answer. */
  failure: number;
  noRoom: number;
  wish: number;
  clone: number;
  revoke: number;
  drain: number;
  /** Jumps to what is hours away. */
  longWait: number;
  inventory: number;
  /** 1: there is a facade whose cache lags behind. */
  lag: number;
  /** 1: half a machine may be one that no listing shows. */
  unlisted: number;
}>;

export type World = Readonly<{
  nowMs: number;
  contracts: readonly (Contract | undefined)[];
  version: number;
  owed: readonly (readonly OwedDestroy[])[];
  leases: readonly (SessionRecord | undefined)[];
  revoked: readonly boolean[];
  /** Being emptied, and the deadline is over. */
  drained: readonly boolean[];
  operators: readonly OperatorProcess[];
  /** What the lagging facade has seen; every other facade is up to date. */
  facade: readonly (Contract | undefined)[];
  processes: readonly AgentProcess[];
  disks: readonly Disk[];
  /** By host and contract: a machine's name is that of its contract, so there is one on each host. */
  hosts: readonly (readonly (Machine | undefined)[])[];
  network: readonly Message[];
  budget: Budget;
}>;

/** The element that must be there. */
export function nth<T>(list: readonly T[], index: number): T {
  if (index < 0 || index >= list.length) throw new Error(`no element ${index} of ${list.length}`);
  return list[index] as T; // just checked; T itself may include undefined
}

let last = { ms: 0, date: NOON };
export function dateOf(ms: number): Date {
  if (last.ms !== ms) last = { ms, date: new Date(NOON.getTime() + ms) };
  return last.date;
}
export const msOf = (instant: string): number => Date.parse(instant) - NOON.getTime();

export const spend = (world: World, what: keyof Budget): World => ({
  ...world,
  budget: { ...world.budget, [what]: world.budget[what] - 1 },
});

export const withProcess = (world: World, p: number, change: Partial<AgentProcess>): World => ({
  ...world,
  processes: world.processes.with(p, { ...nth(world.processes, p), ...change }),
});

export const jobOf = (world: World, p: number, c: number): Job => nth(nth(world.processes, p).jobs, c);

export const withJob = (world: World, [p, c]: readonly [number, number], change: Partial<Job>): World =>
  withProcess(world, p, { jobs: nth(world.processes, p).jobs.with(c, { ...jobOf(world, p, c), ...change }) });

export const recordOf = (world: World, p: number, c: number): ContractRecord =>
  nth(nth(world.disks, p).records, c);

export function withRecord(world: World, [p, c]: readonly [number, number], record: ContractRecord): World {
  const disk = nth(world.disks, p);
  if (nth(disk.records, c) === record) return world;
  return { ...world, disks: world.disks.with(p, { ...disk, records: disk.records.with(c, record) }) };
}

export const machineOf = (world: World, host: number, c: number): Machine | undefined =>
  nth(nth(world.hosts, host), c);

export const withMachine = (
  world: World,
  [host, c]: readonly [number, number],
  machine: Machine | undefined,
): World => ({ ...world, hosts: world.hosts.with(host, nth(world.hosts, host).with(c, machine)) });

export const without = (world: World, message: Message): World => ({
  ...world,
  network: world.network.filter((other) => other !== message),
});

export const sent = (world: World, message: Message): World => ({
  ...world,
  network: [...world.network, message],
});

/** As a story calls it. */
export const nameOf = (world: World, { process }: Readonly<{ process: number }>): string => {
  const { agent, isClone } = nth(world.processes, process);
  return `agent-${agent + 1}${isClone ? ' (clone)' : ''}`;
};

export function describe(call: Call): string {
  switch (call.type) {
    case 'Claim':
      return `claim (having read epoch ${call.observedEpoch})`;
    case 'Reconcile':
      return `inventory (${call.listed.length} listed)`;
    default:
      return `${call.type.toLowerCase()} of epoch ${call.epoch}`;
  }
}
