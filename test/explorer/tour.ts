/** Explores scenarios one after the other, and prints what was seen: states, transitions, depth, kinds of moves. */
import { type Explored, explore } from './explore.ts';
import { MOVE_KINDS, type MoveKind } from './move.ts';
import type { Scenario } from './scenarios.ts';
import { worldOf } from './shape.ts';

export type Tour = Readonly<{
  states: number;
  fired: Readonly<Record<MoveKind, number>>;
  visits: readonly (Explored & Readonly<{ name: string }>)[];
}>;

export function tour(scenarios: readonly Scenario[]): Tour {
  const visits = scenarios.map((scenario) => {
    const { name, statesMax } = scenario;
    const startedMs = performance.now();
    const found = explore(worldOf(scenario), {
      endsWell: true,
      ...(statesMax === undefined ? {} : { statesMax }),
    });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const { states, transitions, depth, quietRuns, isComplete } = found;
    const whole = isComplete ? '' : ', not to its end';
    console.log(
      `${name}: ${states} states, ${transitions} transitions, depth ${depth}${whole}; ${quietRuns} quiet runs; ${seconds} s`,
    );
    if (found.violation) console.log(found.violation);
    return { name, ...found };
  });
  const sum = (count: (explored: Explored) => number): number =>
    visits.reduce((total, visit) => total + count(visit), 0);
  const fired = Object.fromEntries(
    MOVE_KINDS.map((kind) => [kind, sum((visit) => visit.fired[kind])]),
  ) as Record<MoveKind, number>; // every kind is there
  const states = sum((visit) => visit.states);
  console.log(`${states} states; ${MOVE_KINDS.map((kind) => `${kind} ${fired[kind]}`).join(', ')}`);
  return { states, fired, visits };
}
