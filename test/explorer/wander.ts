/**
 * Random walks through worlds that are too large to be explored to their ends: deep where breadth first is shallow.
 * Each ends in a quiet world. A seed gives the same walk again.
 */
import { encode } from './encode.ts';
import { movesOf } from './moves.ts';
import { check } from './oracles.ts';
import { createQuiet } from './quiet.ts';
import { RULES, type Rules } from './rules.ts';
import { tell, wrongOf } from './story.ts';
import type { World } from './world.ts';

type Wandering = Readonly<{ seed: number; stepsMax: number; rules?: Rules }>;

/** How often another move is tried instead of letting time pass. */
const PATIENCE = 0.8;

/** The story of what went wrong; not the shortest one. */
export function wander(start: World, { seed, stepsMax, rules = RULES }: Wandering): string | undefined {
  const random = randomOf(seed);
  const path: number[] = [];
  const story = (wrong: string): string => tell(start, { rules, path, wrong });
  try {
    let world = start;
    for (let step = 0; step < stepsMax; step++) {
      const moves = movesOf(world, rules);
      const pick = (): number => Math.floor(random() * moves.length);
      // Else a lock would run out before anything is built.
      const first = pick();
      const index = moves[first]?.kind === 'TimePasses' && random() < PATIENCE ? pick() : first;
      const move = moves[index];
      if (!move) break;
      path.push(index);
      world = move.next;
      check(world);
    }
    const end = createQuiet(rules).find(encode(world));
    return end && story([end.wrong, ...end.lines].join('\n     '));
  } catch (error) {
    return story(wrongOf(error));
  }
}

/** Mulberry32: from 0 to 1. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
