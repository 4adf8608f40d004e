import { expect, test } from 'vitest';
import { encode } from './encode.ts';
import { movesOf } from './moves.ts';
import { RULES } from './rules.ts';
import { LARGE, SMALL } from './scenarios.ts';
import { worldOf } from './shape.ts';

test('what a move left as it was is taken over from before: the text is the one that is made anew', () => {
  for (const scenario of [...SMALL, ...LARGE]) {
    let found = encode(worldOf(scenario));
    // The way that a number of its own picks: a long one, to where much has happened.
    for (let step = 0, pick = scenario.name.length; step < 150; step++) {
      const moves = movesOf(found.world, RULES);
      const reached = moves.map(({ next }) => encode(next, found));
      for (const { world, parts } of reached) expect(parts, scenario.name).toEqual(encode(world).parts);
      pick = (pick * 48_271 + 11) % 2_147_483_647;
      const next = reached[pick % reached.length];
      if (!next) break;
      found = next;
    }
  }
});
