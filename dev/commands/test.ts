/** `npm test`: everything. Ends with the line `N passed, N failed`, and fails when something failed. */
import { availableParallelism } from 'node:os';
import { sweepWorlds } from '../../test/world/world.ts';
import { seconds } from '../bootstrap/line.mjs';
import { check } from './check.ts';
import type { Dev } from './dev.ts';
import { type Counts, runVitest } from './vitest.ts';

/** What waits more than it works takes turns on the cores. */
const WAITING = availableParallelism() + 2;

type Lane = Readonly<{ projects: readonly string[]; workers?: number; quiet?: boolean }>;

/**
 * Stages, one after the other; the lanes of a stage run beside each other. What `npm run check` does comes first.
 * The whole market (`e2e`) is started one file at a time, and keeps quiet until it is over.
 */
const STAGES: readonly (readonly Lane[])[] = [
  [{ projects: ['explorer', 'faults'] }],
  [
    { projects: ['process', 'cluster', 'crash'], workers: WAITING },
    { projects: ['e2e'], quiet: true },
  ],
];

export async function runTest(dev: Dev, filter: readonly string[]): Promise<number> {
  const startedMs = dev.clock.monotonicMs();
  const results: Counts[] = filter.length === 0 ? [await check(dev)] : [];
  try {
    if (filter.length > 0) results.push(await runLane(dev, { projects: ['unit'] }, filter));
    for (const stage of STAGES)
      results.push(...(await Promise.all(stage.map((lane) => runLane(dev, lane, filter)))));
  } finally {
    await sweepWorlds(); // when the run was stopped half-way, its servers still run
  }
  const passed = sum(results.map((result) => result.passed));
  const failed = sum(results.map((result) => result.failed));
  dev.progress.say(`\nin ${seconds(dev.clock.monotonicMs() - startedMs)}`);
  dev.progress.say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function runLane(dev: Dev, lane: Lane, filter: readonly string[]): Promise<Counts> {
  const startedMs = dev.clock.monotonicMs();
  const title = lane.projects.join(', ');
  dev.progress.say(`\n${title}${lane.quiet ? ': shown when it is over' : ':'}`);
  const { output, passed, failed } = await runVitest(dev, { ...lane, filter });
  if (output) dev.progress.say(`\n${output}`);
  const took = seconds(dev.clock.monotonicMs() - startedMs);
  dev.progress.say(`\n${title}: ${passed} passed, ${failed} failed in ${took}`);
  return { passed, failed };
}

/** `npm run test:faults`: the long form of explorer, faults and crashes, which `npm test` runs a fixed part of. */
export async function runFaultSweep(dev: Dev, filter: readonly string[]): Promise<number> {
  const startedMs = dev.clock.monotonicMs();
  try {
    const { passed, failed } = await runVitest(dev, { projects: ['sweep'], filter });
    dev.progress.say(`\nin ${seconds(dev.clock.monotonicMs() - startedMs)}`);
    dev.progress.say(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await sweepWorlds();
  }
}

export async function runUnitTests(dev: Dev, filter: readonly string[]): Promise<number> {
  const { failed } = await runVitest(dev, { projects: ['unit'], filter });
  return failed === 0 ? 0 : 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
