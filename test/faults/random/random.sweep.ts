/**
 * Random plans for FAULT_MINUTES (8), one stage after the other. It begins at FAULT_SEED or at a seed of the clock,
 * which it prints; a seed that fails is played alone by `FAULT_SEED=N vitest run --project crash random`.
 */
import { expect, test } from 'vitest';
import { systemClock } from '../../../lib/clock.ts';
import { FAULT_FREE } from '../scenarios/play.ts';
import { type Outcome, runPlan } from '../world/run-plan.ts';
import { openStage } from '../world/stage.ts';
import { tell } from '../world/story.ts';
import { randomPlan } from './random-plan.ts';

const MINUTES = Number(process.env['FAULT_MINUTES'] ?? 8);
const FIRST = Number(process.env['FAULT_SEED'] ?? systemClock.now().getTime() % 1_000_000);
const AT_ONCE = 8;
/** Then another stage: objects of plans that are over cost everybody time. */
const A_STAGE = 40;

test('every random plan comes to a good end', async () => {
  process.stderr.write(`random faults from seed ${FIRST}\n`);
  const untilMs = systemClock.monotonicMs() + MINUTES * 60_000;
  const failed: string[] = [];
  let seed = FIRST;
  let played = 0;
  let failures = 0;
  const note = (outcome: Outcome): void => {
    played++;
    if (outcome.gist.phase === 'Failed') failures++;
    if (outcome.problems.length === 0) return;
    failed.push(tell(outcome));
    // A sweep that is interrupted would otherwise take the seed with it.
    process.stderr.write(`${failed.at(-1)}\n`);
  };
  while (systemClock.monotonicMs() < untilMs) {
    const stage = await openStage('sweep', { operators: 2, lease: 'Short' });
    const last = seed + A_STAGE;
    const worker = async (): Promise<void> => {
      while (seed < last && systemClock.monotonicMs() < untilMs) {
        const mine = seed++;
        note(await runPlan(stage, { prefix: `s${mine}`, plan: randomPlan(mine) }));
      }
    };
    await Promise.all(
      FAULT_FREE.map((plan, index) => runPlan(stage, { prefix: `f${index}`, plan }).then(note)),
    );
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await stage.close();
  }
  process.stderr.write(`${played} plans, seeds ${FIRST} to ${seed - 1}; ${failures} ended as Failed\n`);
  expect(failed.join('\n\n')).toBe('');
});
