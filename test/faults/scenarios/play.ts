/**
 * Plays many plans at once on one stage, and has a test for each. The plans without faults come first: what they
 * end as is what all others must end as. `FAULT_ONLY=words` plays the plans alone whose name has them.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Gist, sameGist } from '../oracles/gist.ts';
import type { Plan } from '../world/plan.ts';
import { type Outcome, runPlan } from '../world/run-plan.ts';
import { openStage, type Stage, type StageOptions } from '../world/stage.ts';
import { tell } from '../world/story.ts';

export const FAULT_FREE: readonly Plan[] = [
  { name: 'without faults: rented until Active', job: 'Main', faults: [] },
  { name: 'without faults: cancelled when Active', job: 'Cancel', faults: [] },
];

/** All run from the beginning on: the first test waits for its plan, most others find theirs over. */
const TIMEOUT_MS = 240_000;

type Options = StageOptions &
  Readonly<{
    /** How many plans run at a time; default 12. Together: all, and none begins before all have their supply. */
    atOnce?: number | 'Together';
    /** What the stage needs first, e.g. a cluster of its own. */
    prepare?: () => Promise<StageOptions>;
    tidyUp?: () => Promise<void>;
  }>;

export function play(
  name: string,
  plans: readonly Plan[],
  { atOnce = 12, prepare, tidyUp, ...options }: Options = {},
): void {
  describe(name, () => {
    let stage: Stage;
    const only = process.env['FAULT_ONLY'] ?? '';
    const all = [...FAULT_FREE, ...plans.filter((plan) => plan.name.includes(only))];
    const outcomes = new Map<Plan, Promise<Outcome>>();
    beforeAll(async () => {
      stage = await openStage(name.replaceAll(/[^a-z]+/g, '-').slice(0, 30), {
        ...options,
        ...(await prepare?.()),
      });
      const count = atOnce === 'Together' ? all.length : atOnce;
      const places = Array.from({ length: count }, () => Promise.resolve());
      const supplied = atOnce === 'Together' ? meetingOf(count) : async () => undefined;
      all.forEach((plan, index) => {
        const place = index % count;
        const outcome = (places[place] ?? Promise.resolve()).then(() =>
          runPlan(stage, { prefix: `s${index}`, plan, supplied }),
        );
        places[place] = outcome.then(
          () => undefined,
          () => undefined,
        );
        outcomes.set(plan, outcome);
      });
    });
    afterAll(async () => {
      await Promise.allSettled(outcomes.values());
      await stage?.close();
      await tidyUp?.();
    });
    const cases = all.map((plan) => [plan.name, plan] as const);
    test.each(cases)('%s', { timeout: TIMEOUT_MS }, async (_name, plan) => {
      const outcome = await must(outcomes.get(plan));
      const expected = await faultFreeGist(outcomes, outcome.gist.phase);
      const problems = [...outcome.problems, ...(expected ? sameGist(expected, outcome.gist) : [])];
      if (problems.length > 0) throw new Error(tell({ ...outcome, problems }));
    });
  });
}

async function faultFreeGist(
  outcomes: ReadonlyMap<Plan, Promise<Outcome>>,
  phase: string,
): Promise<Gist | undefined> {
  const free = await Promise.all(FAULT_FREE.map((plan) => must(outcomes.get(plan))));
  return free.map(({ gist }) => gist).find((gist) => gist.phase === phase);
}

/** Resolves for all when the last has come. */
function meetingOf(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  return () => {
    if (--missing === 0) resolve();
    return promise;
  };
}

async function must<T>(value: Promise<T> | undefined): Promise<T> {
  if (!value) throw new Error('the stage did not open');
  return value;
}
