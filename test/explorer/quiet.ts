/**
 * What becomes of a state when nothing goes wrong any more: every process is up, every message arrives, time goes
 * on. It must come to a good end within a bounded number of moves, and then nobody writes to the contract again.
 */

import { uidOf } from '../../crds/contract/builders.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { type Encoded, encode, hash } from './encode.ts';
import type { Move } from './move.ts';
import { movesOf } from './moves.ts';
import { check } from './oracles.ts';
import { RETIRED, stop } from './processes.ts';
import type { Rules } from './rules.ts';
import { createVisited, type Visited } from './visited.ts';
import { type Budget, machineOf, nth, type World, withProcess } from './world.ts';

const STEPS_MAX = 800;

const NO_FAULTS: Budget = {
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

export type Quiet = Readonly<{
  /** Undefined: a good end. Otherwise what was not good, and the last moves. */
  find: (from: Encoded) => Readonly<{ wrong: string; lines: readonly string[] }> | undefined;
}>;

/** Remembers the states from which a good end was reached before. */
export function createQuiet(rules: Rules): Quiet {
  const good = createVisited();
  return { find: (from) => run(encode(calmed(from.world), from), { rules, good }) };
}

const calmed = (world: World): World => attended({ ...world, budget: NO_FAULTS, facade: world.contracts });

/** A person stops the clone, and starts again what ended or was refused because of it. */
function attended(world: World): World {
  let next = world;
  world.processes.forEach(({ agent, isClone, isDuplicate, session }, p) => {
    if (isClone) next = withProcess(stop(next, p), p, { session: 'stopped' });
    else if (isDuplicate || (session === RETIRED && !nth(world.revoked, agent)))
      next = withProcess(stop(next, p), p, { session: '' });
  });
  return next;
}

type Running = Readonly<{ rules: Rules; good: Visited }>;

function run(start: Encoded, { rules, good }: Running): ReturnType<Quiet['find']> {
  if (good.has(hash(start))) return undefined;
  const seen = createVisited(1024);
  const lines: string[] = [];
  const trail: (readonly [number, number])[] = [];
  let here = start;
  let calmSince = -1;
  for (let step = 0; step < STEPS_MAX; step++) {
    const { world } = here;
    const key = hash(here);
    if (good.has(key)) return remember(good, trail);
    seen.add(key, { parent: -1, move: 0 });
    trail.push(key);
    const moves = movesOf(world, rules);
    const isTime = ({ kind }: Move): boolean => kind === 'TimePasses' || kind === 'LongTimePasses';
    const next = firstNew(
      moves.filter((move) => !isTime(move)),
      { here, seen },
    );
    if (next) {
      lines.push(next.move.text);
      here = next.to;
      check(here.world);
      continue;
    }
    if (isGood(world)) {
      if (calmSince >= 0 && world.version !== calmSince)
        return { wrong: 'somebody wrote after the good end', lines: lines.slice(-40) };
      const isOver = calmSince >= 0;
      calmSince = world.version;
      if (isOver) return remember(good, trail);
    } else calmSince = -1;
    const later = passTime(world, { rules, moves });
    if (!later)
      return isGood(world) ? remember(good, trail) : { wrong: notGood(world), lines: lines.slice(-40) };
    if (calmSince >= 0 && later.kind === 'LongTimePasses') return remember(good, trail);
    here = encode(later.next);
    lines.push(later.text);
  }
  const { world } = here;
  return { wrong: `no good end in ${STEPS_MAX} moves: ${notGood(world)}`, lines: lines.slice(-60) };
}

type Seen = Readonly<{ here: Encoded; seen: Visited }>;

function firstNew(
  moves: readonly Move[],
  { here, seen }: Seen,
): Readonly<{ move: Move; to: Encoded }> | undefined {
  for (const move of moves) {
    const to = encode(move.next, here);
    if (!seen.has(hash(to))) return { move, to };
  }
  return undefined;
}

/** The next deadline, near or far; inventories are sent again after it. */
function passTime(
  world: World,
  { rules, moves }: Readonly<{ rules: Rules; moves: readonly Move[] }>,
): Move | undefined {
  const near = moves.find(({ kind }) => kind === 'TimePasses');
  const patient = { ...world, budget: { ...world.budget, longWait: 1 } };
  const move = near ?? movesOf(patient, rules).find(({ kind }) => kind === 'LongTimePasses');
  if (!move) return undefined;
  const budget = { ...NO_FAULTS, inventory: world.processes.length };
  return { ...move, next: attended({ ...move.next, budget }) };
}

function remember(good: Visited, trail: readonly (readonly [number, number])[]): undefined {
  for (const key of trail) good.add(key, { parent: -1, move: 0 });
}

function isGood(world: World): boolean {
  return world.contracts.every((contract, c) => {
    const status = contract?.status;
    const machines = world.hosts.flatMap((_host, host) => machineOf(world, host, c) ?? []);
    if (!contract || (status && hasEnded(status.phase))) return machines.length === 0;
    if (status?.phase !== 'Active') return false;
    const [machine] = machines;
    const { instance, holders = [] } = status;
    return (
      machines.length === 1 &&
      holders.length === 1 &&
      machine?.epoch === instance?.epoch &&
      machine !== undefined &&
      uidOf(machine.agent + 1) === instance?.agentUID
    );
  });
}

const notGood = (world: World): string => {
  const phases = world.contracts.map((contract) => contract?.status?.phase ?? (contract ? 'new' : 'gone'));
  const machines = world.hosts.flat().filter((machine) => machine !== undefined);
  return `a quiet world stays at ${phases.join(', ')} with ${machines.length} machines`;
};
