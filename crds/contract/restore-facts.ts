/** What is known about one contract after an older etcd was put back. Plain data: no clients, no clocks. */
import type { InstanceDetails } from '../wire/reports.ts';
import { generationOf } from './generation.ts';
import { isHolder } from './move.ts';
import type { Access, ContractStatus } from './status.ts';
import type { EndPhase } from './steps.ts';

/** A machine of this contract in a listing that counts. */
export type RestoredMachine = Readonly<{
  /** Name and UID of the agent whose tag it has. */
  agent: string;
  agentUID: string;
  epoch: number;
  externalId: string;
  /** RFC 3339. */
  createdAt?: string | undefined;
  /** As it was reported once. Absent: it was never finished, or its agent does not remember. */
  details?: InstanceDetails | undefined;
  /** A facade saw the proof that this epoch was granted to this agent. */
  isProven?: boolean | undefined;
}>;

/** The machine that PostgreSQL knows the contract to have. */
export type MachineInStore = Readonly<{
  epoch: number;
  agentUID: string;
  externalId: string;
  /** When it was first seen reachable, RFC 3339; undefined: it was reported and not seen yet. */
  activeAt?: string | undefined;
  access?: Access | undefined;
}>;

/** PostgreSQL knows that the contract was told to end. `epoch`: the contract's at that time. */
export type EndInStore = Readonly<{ epoch: number; phase?: EndPhase | undefined; reason: string }>;

export type RestoredFacts = Readonly<{
  listed: readonly RestoredMachine[];
  inStore?: MachineInStore | undefined;
  ended?: EndInStore | undefined;
  /** Machines that PostgreSQL knows to be the contract's no more: moved or ended. */
  closed: readonly Readonly<{ epoch: number; externalId: string }>[];
  hasListed: (agentUID: string) => boolean;
  /** Name and pool of an Agent; undefined when etcd does not know it any more. */
  agentOf: (agentUID: string) => Readonly<{ name: string; poolName: string }> | undefined;
  /** The one that the restore began. At least 1. */
  generation: number;
  now: Date;
}>;

/** The machine that the contract goes on with. */
export type ChosenMachine = RestoredMachine &
  Readonly<{ activeAt?: string | undefined; access?: Access | undefined }>;

/**
 * PostgreSQL's machine, if it is listed or its agent was not heard (a person goes on without); else the highest
 * finished one that is not below the contract's epoch. Undefined: there is none that could be the tenant's.
 */
export function chooseMachine(status: ContractStatus, facts: RestoredFacts): ChosenMachine | undefined {
  return chooseStored(status, facts) ?? chooseListed(status, facts);
}

function chooseStored(
  status: ContractStatus,
  { inStore, listed, hasListed, agentOf }: RestoredFacts,
): ChosenMachine | undefined {
  // Below the contract's epoch it was superseded, and PostgreSQL was not told.
  if (!inStore || inStore.epoch < status.epoch) return undefined;
  const there = listed.find((machine) => isSameMachine(machine, inStore));
  if (!there && hasListed(inStore.agentUID)) return undefined;
  return { ...inStore, agent: agentOf(inStore.agentUID)?.name ?? 'unknown', ...there };
}

function chooseListed(status: ContractStatus, { listed, closed }: RestoredFacts): ChosenMachine | undefined {
  const isInstance = (machine: RestoredMachine): boolean => isSameMachine(machine, status.instance);
  const isClosed = (machine: RestoredMachine): boolean =>
    closed.some((it) => it.epoch === machine.epoch && it.externalId === machine.externalId);
  return listed
    .filter((machine) => machine.epoch >= status.epoch && !isClosed(machine))
    .filter((machine) => machine.details !== undefined || isInstance(machine))
    .toSorted(
      (a, b) =>
        b.epoch - a.epoch ||
        Number(isInstance(b)) - Number(isInstance(a)) ||
        (a.createdAt ?? '').localeCompare(b.createdAt ?? '') ||
        a.agentUID.localeCompare(b.agentUID),
    )[0];
}

type Known = Readonly<{ status: ContractStatus }> & Pick<RestoredFacts, 'inStore' | 'generation'>;

/**
 * Tags are the lister's own words: a machine counts when etcd has its agent as holder of that epoch, when PostgreSQL
 * names it, or when its grant is proven. No epoch of the new generation was granted yet.
 */
export const isCredible = (machine: RestoredMachine, { status, inStore, generation }: Known): boolean =>
  generationOf(machine.epoch) < generation &&
  (machine.isProven === true || isHolder(status, machine) || isSameMachine(machine, inStore));

type Named = Readonly<{ agentUID: string; epoch: number; externalId: string }>;
export const isSameMachine = (a: Named, b: Named | undefined): boolean =>
  a.agentUID === b?.agentUID && a.epoch === b.epoch && a.externalId === b.externalId;
