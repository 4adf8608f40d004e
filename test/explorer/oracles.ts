/** What must hold in every reachable state. The numbers are those of the issue. */
import { uidOf } from '../../crds/contract/builders.ts';
import { ATTEMPTS_MAX } from '../../crds/contract/numbers.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { uidOfCase } from './facade.ts';
import { must } from './server.ts';
import { type Machine, machineOf, nth, type World } from './world.ts';

/** Throws Violation. */
export function check(world: World): void {
  world.contracts.forEach((_contract, c) => {
    oneMachineForTheTenant(world, c);
    oneHolderForAnEpoch(world, c);
    oneBuilder(world, c);
    boundedTries(world, c);
    nothingLeftBehind(world, c);
  });
}

/** 1: what the tenant is told about is there, is of the present epoch, and no other machine has that epoch. */
function oneMachineForTheTenant(world: World, c: number): void {
  const status = nth(world.contracts, c)?.status;
  const instance = status?.instance;
  if (!status || !instance || status.phase === 'Terminating') return;
  must(
    instance.epoch === status.epoch,
    `the tenant is told about a machine of epoch ${instance.epoch}, the contract is at epoch ${status.epoch}`,
  );
  const told = machinesOf(world, c).filter(
    // An heir has the entries first, the tags of the revoked one's machine then.
    ({ agent, epoch }) =>
      epoch === instance.epoch && (uidOf(agent + 1) === instance.agentUID || nth(world.revoked, agent)),
  );
  must(told.length === 1 && told[0]?.isMade, `the machine that the tenant is told about is gone`);
  const others = machinesOf(world, c).filter((machine) => machine !== told[0]);
  must(
    others.every(({ epoch }) => epoch < instance.epoch),
    'there is a second machine of the present epoch',
  );
}

/** 2: an epoch is held once, and the lock is of the present one. */
function oneHolderForAnEpoch(world: World, c: number): void {
  const status = nth(world.contracts, c)?.status;
  if (!status) return;
  const epochs = (status.holders ?? []).map(({ epoch }) => epoch);
  must(new Set(epochs).size === epochs.length, `two holders of one epoch: ${epochs.join(', ')}`);
  must(
    epochs.every((epoch) => epoch <= status.epoch),
    `a holder of epoch ${Math.max(...epochs)} above the contract's ${status.epoch}`,
  );
  must(!status.lock || status.lock.epoch === status.epoch, 'the lock is of another epoch than the contract');
}

/** 2: at most one agent believes that it may build. */
function oneBuilder(world: World, c: number): void {
  const builders = world.processes.filter(({ isUp, jobs }) => {
    const lock = nth(jobs, c).lock;
    return isUp && lock !== undefined && lock.endsAtMs > world.nowMs;
  });
  const agents = new Set(builders.map(({ agent }) => agent));
  must(agents.size <= 1, `${[...agents].map((n) => `agent-${n + 1}`).join(' and ')} both hold the lock`);
}

/** 4: three tries and no more, so that it comes to an honest end. */
function boundedTries(world: World, c: number): void {
  const failures = nth(world.contracts, c)?.status?.failures ?? 0;
  must(failures <= ATTEMPTS_MAX, `${failures} attempts failed, ${ATTEMPTS_MAX} are allowed`);
}

/** 3: an ended contract has no machine, unless its agent owes it; and one that is gone from the cluster neither. */
function nothingLeftBehind(world: World, c: number): void {
  const contract = nth(world.contracts, c);
  const hasGone = !contract || (contract.status && hasEnded(contract.status.phase));
  if (!hasGone) return;
  for (const { agent, epoch, isListed } of machinesOf(world, c)) {
    const isOwed = nth(world.owed, agent).some(
      (debt) => debt.contractUID === uidOfCase(c) && (debt.epoch === epoch || !isListed),
    );
    must(isOwed, `the contract ended, and agent-${agent + 1} still has a machine of epoch ${epoch}`);
  }
}

const machinesOf = (world: World, c: number): Machine[] =>
  world.hosts.flatMap((_host, host) => machineOf(world, host, c) ?? []);
