/** All oracles over one contract's evidence. */
import type { Evidence } from './evidence.ts';
import { honestEnd } from './honest-end.ts';
import { oneHolder } from './one-holder.ts';
import { oneInstance } from './one-instance.ts';
import { strangersUntouched } from './strangers.ts';

export const judge = (evidence: Evidence): readonly string[] =>
  [oneInstance, oneHolder, honestEnd, strangersUntouched].flatMap((oracle) => [...oracle(evidence)]);
