/** How a world begins: who is there, how far it is, and what may still go wrong how often. */

import { emptyRecord } from '../../agent/state/record.ts';
import { aContract, at } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { contractIdOf } from '../../crds/contract/contract.ts';
import { uidOfCase } from './facade.ts';
import type { Move, MoveKind } from './move.ts';
import { movesOf } from './moves.ts';
import { stop } from './processes.ts';
import { RULES } from './rules.ts';
import { type AgentProcess, type Budget, IDLE, type World } from './world.ts';

const NONE: Budget = {
  network: 0,
  agentCrash: 0,
  operatorCrash: 0,
  failure: 0,
  noRoom: 0,
  wish: 0,
  clone: 0,
  revoke: 0,
  drain: 0,
  longWait: 0,
  inventory: 0,
  lag: 0,
  unlisted: 0,
};

/** Faults are counted down from these. */
export type Shape = Readonly<{
  agents?: number;
  contracts?: number;
  operators?: number;
  /** agent-1 has a clone that is not started yet. */
  clone?: boolean;
  /** All agents look after one hypervisor. */
  shared?: boolean;
  /** Seconds until the overall deadline. */
  provisionBySeconds?: number;
  failures?: number;
  /** As somebody made it: the operator has not seen it yet. */
  isNew?: boolean;
  /** The agents run and were heard already; else they are still to be started. */
  isReady?: boolean;
  /** agent-1 has built it already. */
  isActive?: boolean;
  /** agent-1 crashed half-way in building. */
  isInterrupted?: boolean;
  budget: Partial<Budget>;
}>;

export function worldOf(shape: Shape): World {
  const { isReady = false, isActive = false, isInterrupted = false, budget } = shape;
  let world = asleep(shape);
  if (isReady) world = ledBy(world, ({ kind }) => kind === 'AgentStarts' || kind === 'Heartbeat');
  // agent-1 builds while nothing goes wrong; nobody else takes part.
  const isBuilding = ({ kind, text }: Move): boolean => kind !== 'TimePasses' && !text.startsWith('agent-2');
  if (isActive) world = ledBy(world, isBuilding);
  if (isInterrupted) world = stop(ledBy(world, isBuilding, 'MachineBegun'), 0);
  return { ...world, budget: { ...NONE, ...budget } };
}

/** The world after the first of such moves, again and again; `last` is the last one. */
function ledBy(start: World, isMeant: (move: Move) => boolean, last?: MoveKind): World {
  let world = start;
  for (;;) {
    const move = movesOf({ ...world, budget: NONE }, RULES).find(isMeant);
    if (!move) return world;
    world = move.next;
    if (move.kind === last) return world;
  }
}

function asleep(shape: Shape): World {
  const { agents = 1, contracts: count = 1, operators = 1, clone = false, shared = false } = shape;
  const contracts = Array.from({ length: count }, (_none, c) => contractOf(shape, c));
  const idle = contracts.map(() => IDLE);
  const process = (agent: number, isClone: boolean): AgentProcess => ({
    agent,
    host: shared ? 0 : agent,
    isUp: false,
    isClone,
    session: '',
    isAcknowledged: false,
    isDuplicate: false,
    jobs: idle,
    inventory: undefined,
  });
  const processes = [
    ...Array.from({ length: agents }, (_none, agent) => process(agent, false)),
    ...(clone ? [process(0, true)] : []),
  ];
  const nothing = contracts.map(() => undefined);
  const records = contracts.map((_contract, c) => emptyRecord(contractIdOf(uidOfCase(c))));
  return {
    nowMs: 0,
    contracts,
    version: 1,
    owed: Array.from({ length: agents }, () => []),
    leases: Array.from({ length: agents }, () => undefined),
    revoked: Array.from({ length: agents }, () => false),
    drained: Array.from({ length: agents }, () => false),
    operators: Array.from({ length: operators }, () => ({
      caches: contracts,
      marks: nothing,
      pendings: nothing,
    })),
    facade: contracts,
    processes,
    disks: processes.map(() => ({ incarnation: 0, records })),
    hosts: Array.from({ length: shared ? 1 : agents }, () => nothing),
    network: [],
    budget: { ...NONE, ...shape.budget },
  };
}

function contractOf({ provisionBySeconds = 36_000, failures, isNew = false }: Shape, c: number): Contract {
  const made = aContract('Accepted', {
    provisionBy: at(provisionBySeconds).toISOString(),
    observedGeneration: 1,
    ...(failures === undefined ? {} : { failures }),
  });
  const metadata = {
    ...made.metadata,
    name: `contract-${c}`,
    uid: uidOfCase(c),
    ...(isNew ? { finalizers: [] } : {}),
  };
  const { status, ...rest } = made;
  return isNew ? { ...rest, metadata } : { ...rest, metadata, status };
}
