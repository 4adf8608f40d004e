/** Creating, adopting and removing on a hypervisor: it succeeds, fails, or stops half-way. */
import { contractIdOf } from '../../crds/contract/contract.ts';
import { type Acting, giveUp, listed, moved } from './agent-job.ts';
import { uidOfCase } from './facade.ts';
import type { Move } from './move.ts';
import {
  type Doing,
  machineOf,
  nth,
  recordOf,
  spend,
  type World,
  withJob,
  withMachine,
  withRecord,
} from './world.ts';

type Building = Acting & Readonly<{ doing: Exclude<Doing, { at: 'Sending' | 'Waiting' }> }>;

export function hypervisorMoves(world: World, building: Building): Move[] {
  const { doing } = building;
  switch (doing.at) {
    case 'Begun':
      return doing.adopts === undefined ? begin(world, building) : [adopt(world, building, doing.adopts)];
    case 'Making':
      return make(world, building);
    case 'Made':
      return [finish(world, building)];
    case 'Removed':
      return [confirm(world, building)];
  }
}

function begin(world: World, building: Building): Move[] {
  const { place, doing } = building;
  const [p, c] = place;
  const { host, agent } = nth(world.processes, p);
  const { epoch } = doing;
  const found = machineOf(world, host, c);
  if (found?.isListed && (found.epoch !== epoch || found.agent !== agent)) {
    const next = giveUp(world, building, { epoch, class: 'transient' });
    const said = `finds another machine in the way of epoch ${epoch}`;
    return [moved(world, building, { kind: 'MachineFails', said, next })];
  }
  const moves: Move[] = [];
  if (found?.isMade) {
    const next = withJob(world, place, { doing: { at: 'Made', epoch } });
    const said = `finds the machine of epoch ${epoch} made`;
    moves.push(moved(world, building, { kind: 'MachineMade', said, next }));
  } else
    for (const isListed of world.budget.unlisted > 0 ? [true, false] : [true]) {
      const half = { epoch, agent, isMade: false, isListed };
      const next = withJob(withMachine(world, [host, c], half), place, { doing: { at: 'Making', epoch } });
      const said = `begins to make the machine of epoch ${epoch}${isListed ? '' : ', not listed yet'}`;
      moves.push(moved(world, building, { kind: 'MachineBegun', said, next }));
    }
  if (world.budget.noRoom > 0) {
    const full = { isFull: true, machines: undefined, doing: undefined };
    const next = withJob(spend(world, 'noRoom'), place, full);
    moves.push(
      moved(world, building, { kind: 'MachineFails', said: `finds no room for epoch ${epoch}`, next }),
    );
  }
  if (world.budget.failure > 0) {
    const next = giveUp(spend(world, 'failure'), building, { epoch, class: 'transient' });
    const said = `cannot make the machine of epoch ${epoch}`;
    moves.push(moved(world, building, { kind: 'MachineFails', said, next }));
  }
  return moves;
}

function adopt(world: World, building: Building, from: number): Move {
  const { place, doing } = building;
  const [p, c] = place;
  const { host, agent } = nth(world.processes, p);
  const { epoch } = doing;
  const found = machineOf(world, host, c);
  if (found?.epoch !== from || found.agent !== agent) {
    const next = giveUp(world, building, { epoch, class: 'transient' });
    const said = `does not find epoch ${from} to adopt`;
    return moved(world, building, { kind: 'MachineFails', said, next });
  }
  const adopted = { ...found, epoch };
  const retagged = withMachine(world, [host, c], adopted);
  const next = withJob(retagged, place, { machines: [adopted], doing: undefined });
  const said = `adopts its machine of epoch ${from} for epoch ${epoch}`;
  return moved(world, building, { kind: 'MachineAdopted', said, next });
}

function make(world: World, building: Building): Move[] {
  const { place, doing } = building;
  const [p, c] = place;
  const { host, agent } = nth(world.processes, p);
  const { epoch } = doing;
  const half = machineOf(world, host, c);
  const isThere = half?.epoch === epoch && half.agent === agent;
  const moves: Move[] = [];
  if (isThere) {
    const made = { epoch, agent, isMade: true, isListed: true };
    const next = withJob(withMachine(world, [host, c], made), place, { doing: { at: 'Made', epoch } });
    moves.push(
      moved(world, building, { kind: 'MachineMade', said: `has made the machine of epoch ${epoch}`, next }),
    );
    if (world.budget.failure <= 0) return moves;
  }
  const failing = isThere ? spend(world, 'failure') : world;
  const next = giveUp(failing, building, { epoch, class: 'transient' });
  const said = `fails half-way in making epoch ${epoch}`;
  return [...moves, moved(world, building, { kind: 'MachineFails', said, next })];
}

function finish(world: World, building: Building): Move {
  const { rules, place, doing } = building;
  const [p, c] = place;
  const { epoch } = doing;
  const record = recordOf(world, p, c);
  const made = machineOf(world, nth(world.processes, p).host, c);
  const created = { externalId: 'm', port: 22, addresses: [], isConfirmed: false, details: {} };
  const finished = record.grant?.epoch === epoch ? rules.finish(record, created) : record;
  const machines = made ? [{ ...made, epoch }] : [];
  const next = withJob(withRecord(world, place, finished), place, { doing: undefined, machines });
  const said = `notes that the machine of epoch ${epoch} is made`;
  return moved(world, building, { kind: 'AgentNotes', said, next });
}

function confirm(world: World, building: Building): Move {
  const { rules, place, doing } = building;
  const { epoch } = doing;
  const [p, c] = place;
  const machine = machineOf(world, nth(world.processes, p).host, c);
  const all = machine?.isListed ? [listed(c, machine)] : [];
  const isLeft = rules.leftOf(all, { contractId: contractIdOf(uidOfCase(c)), epoch }).length > 0;
  const done = withJob(world, place, { doing: undefined, machines: undefined });
  const absent = rules.confirmAbsent(recordOf(world, ...place), { epoch, as: 'Terminated' });
  const next = isLeft ? done : withRecord(done, place, absent);
  const said = isLeft ? `still sees epoch ${epoch}` : `notes that nothing of epoch ${epoch} is left`;
  return moved(world, building, { kind: 'AbsenceSeen', said, next });
}
