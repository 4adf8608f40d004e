/** What every step of a job needs: its facts, how it ends or is broken off, and what an order does to it. */

import type { ListedInstance } from '../../agent/provisioner/provisioner.ts';
import type { JobFacts, Step } from '../../agent/run/decide-job.ts';
import { NOON, uidOf } from '../../crds/contract/builders.ts';
import { contractIdOf } from '../../crds/contract/contract.ts';
import { INSTALLATION, uidOfCase } from './facade.ts';
import type { Move, MoveKind } from './move.ts';
import type { Rules } from './rules.ts';
import {
  IDLE,
  jobOf,
  type Machine,
  machineOf,
  nameOf,
  nth,
  recordOf,
  type Slot,
  sent,
  spend,
  type World,
  withJob,
  without,
  withRecord,
} from './world.ts';

/** Process and contract. */
export type Place = readonly [number, number];

/** Machines of one contract have one name on every host. */
export const machineName = (c: number): string => `dc-${c}`;

export const listed = (c: number, { epoch, agent }: Machine): ListedInstance => ({
  externalId: machineName(c),
  contractId: contractIdOf(uidOfCase(c)),
  epoch,
  installation: INSTALLATION,
  agentUid: uidOf(agent + 1),
  state: 'Running',
  createdAt: NOON.toISOString(),
});

/** What a listing shows of the process's own machines of the contract. */
export function listOwn(world: World, [p, c]: Place): readonly Machine[] {
  const { host, agent } = nth(world.processes, p);
  const machine = machineOf(world, host, c);
  return machine?.isListed && machine.agent === agent ? [machine] : [];
}

export const decideNext = (world: World, place: Place, rules: Rules): Step =>
  rules.decideJob(factsOf(world, place));

function factsOf(world: World, [p, c]: Place): JobFacts {
  const { offer, lock, machines, isFull, isVerified } = jobOf(world, p, c);
  const record = recordOf(world, p, c);
  const leftMs = lock && lock.epoch === record.grant?.epoch ? lock.endsAtMs - world.nowMs : 0;
  return {
    record,
    isOffered: offer !== undefined,
    isStopping: false,
    lock: lock && leftMs > 0 ? { leftMs, ttlMs: lock.ttlMs } : undefined,
    machines: machines?.map((machine) => listed(c, machine)),
    hasRoom: !isFull,
    isVerified,
  };
}

/** A job that has nothing left to do ends, and what it knew is gone. */
export function rest(world: World, [p, c]: Place, rules: Rules): World {
  const { isRunning, doing } = jobOf(world, p, c);
  if (!isRunning || doing) return world;
  if (decideNext(world, [p, c], rules).type !== 'Done') return world;
  return withJob(abandon(world, [p, c], 'Keeper'), [p, c], IDLE);
}

/** Nobody waits for what was asked: where the network may still fail, the request is late, otherwise it ends. */
export function abandon(world: World, [p, c]: Place, slot: Slot): World {
  const isOurs = (message: World['network'][number]): boolean =>
    message.process === p && message.contract === c && message.slot === slot && !isGhost(message);
  const ours = world.network.find(isOurs);
  if (!ours) return world;
  const left = without(world, ours);
  return ours.to === 'Facade' && world.budget.network > 0
    ? sent(spend(left, 'network'), { ...ours, isGhost: true })
    : left;
}

const isGhost = (message: World['network'][number]): boolean => message.to === 'Facade' && message.isGhost;

export const endLock = (world: World, place: Place): World =>
  withJob(abandon(world, place, 'Keeper'), place, { lock: undefined });

/** A building that is broken off leaves on the hypervisor what it had come to. */
export function loseLock(world: World, [p, c]: Place): World {
  const { doing } = jobOf(world, p, c);
  const isFenced = doing?.at === 'Begun' || doing?.at === 'Making' || doing?.at === 'Made';
  const ended = endLock(world, [p, c]);
  return isFenced ? withJob(ended, [p, c], { doing: undefined, machines: undefined }) : ended;
}

export function orderEpoch(
  world: World,
  [p, c]: Place,
  { rules, epoch }: Readonly<{ rules: Rules; epoch: number }>,
): World {
  const job = jobOf(world, p, c);
  const before = recordOf(world, p, c);
  const after = job.isRunning ? rules.heed(before, epoch) : rules.order(before, epoch);
  let next = withRecord(world, [p, c], after);
  if (!job.isRunning) {
    if (!rules.isSettled(after)) next = withJob(next, [p, c], { isRunning: true });
  } else if (before.grant && !after.grant) {
    next = abandon(loseLock(next, [p, c]), [p, c], 'Job');
    next = withJob(next, [p, c], { doing: undefined });
  }
  return rest(next, [p, c], rules);
}

export type Acting = Readonly<{ rules: Rules; place: Place }>;

/** A move of this job; it rests when nothing is left to do. */
export const moved = (
  world: World,
  { rules, place }: Acting,
  { kind, said, next }: Readonly<{ kind: MoveKind; said: string; next: World }>,
): Move => ({
  kind,
  text: `${nameOf(world, { process: place[0] })} ${said}`,
  next: rest(next, place, rules),
});

type Failure = Readonly<{ epoch: number; class: 'transient' | 'capacity' }>;

/** The attempt failed: on disk first, and no lock is kept for it. */
export function giveUp(world: World, { rules, place }: Acting, failure: Failure): World {
  const failed = rules.fail(recordOf(world, ...place), { ...failure, message: 'failed' });
  return withJob(endLock(withRecord(world, place, failed), place), place, { doing: undefined });
}
