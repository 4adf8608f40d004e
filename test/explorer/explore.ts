/**
 * Breadth first through every interleaving of a scenario, each state once: so the first violation is the one with
 * the shortest story. Bounded by the scenario's faults, and by a number of states.
 */
import { type Encoded, encode, hash } from './encode.ts';
import { MOVE_KINDS, type MoveKind } from './move.ts';
import { movesOf } from './moves.ts';
import { check } from './oracles.ts';
import { createQuiet } from './quiet.ts';
import { RULES, type Rules } from './rules.ts';
import { tell, wrongOf } from './story.ts';
import { createVisited } from './visited.ts';
import type { World } from './world.ts';

export type ExploreOptions = Readonly<{
  rules?: Rules;
  /** Stops there; then the result is not complete. */
  statesMax?: number;
  /** From each state a quiet world must come to a good end. */
  endsWell?: boolean;
}>;

export type Explored = Readonly<{
  states: number;
  transitions: number;
  depth: number;
  isComplete: boolean;
  quietRuns: number;
  fired: Readonly<Record<MoveKind, number>>;
  /** What went wrong, as a story. */
  violation: string | undefined;
}>;

type Found = Readonly<{ encoded: Encoded; state: number }>;

export function explore(start: World, options: ExploreOptions = {}): Explored {
  const { rules = RULES, statesMax = Number.POSITIVE_INFINITY, endsWell = false } = options;
  const visited = createVisited();
  const quiet = createQuiet(rules);
  const fired = Object.fromEntries(MOVE_KINDS.map((kind) => [kind, 0])) as Record<MoveKind, number>; // every kind is there
  let transitions = 0;
  let depth = 0;
  let quietRuns = 0;
  const result = (violation: string | undefined, isComplete: boolean): Explored => ({
    states: visited.size(),
    transitions,
    depth,
    isComplete,
    quietRuns,
    fired,
    violation,
  });
  const story = (state: number, wrong: string): Explored =>
    result(tell(start, { rules, path: visited.pathTo(state), wrong }), false);

  const first = encode(start);
  visited.add(hash(first), { parent: -1, move: 0 });
  let level: Found[] = [{ encoded: first, state: 0 }];
  for (; level.length > 0; depth++) {
    const next: Found[] = [];
    for (const { encoded, state } of level) {
      const { world } = encoded;
      try {
        const moves = movesOf(world, rules);
        moves.forEach((move, index) => {
          transitions++;
          fired[move.kind]++;
          const to = encode(move.next, encoded);
          const found = visited.add(hash(to), { parent: state, move: index });
          if (found !== undefined) next.push({ encoded: to, state: found });
        });
        if (endsWell) {
          quietRuns++;
          const end = quiet.find(encoded);
          if (end) return story(state, [end.wrong, ...end.lines].join('\n     '));
        }
      } catch (error) {
        return story(state, wrongOf(error));
      }
      if (visited.size() >= statesMax) return result(undefined, false);
    }
    for (const { encoded, state } of next)
      try {
        check(encoded.world);
      } catch (error) {
        return story(state, wrongOf(error));
      }
    level = next;
  }
  return result(undefined, true);
}
