/** `npm test`: everything. Ends with the line `N passed, N failed`, and fails when something failed. */
import { sweepWorlds } from '../../test/world/world.ts';
import { seconds } from '../bootstrap/line.mjs';
import { check } from './check.ts';
import type { Dev } from './dev.ts';
import { type Counts, runVitest } from './vitest.ts';

/**
 * What `npm run check` does not run, one group after the other: more than one file for each core at a time only makes
 * those late that measure time. Projects of a group share the cores.
 */
const GROUPS: readonly (readonly string[])[] = [
  ['explorer', 'faults'],
  ['process', 'cluster', 'crash'],
  ['e2e'],
];

export async function runTest(dev: Dev, filter: readonly string[]): Promise<number> {
  const startedMs = dev.clock.monotonicMs();
  const results: Counts[] = filter.length === 0 ? [await check(dev)] : [];
  try {
    for (const projects of filter.length === 0 ? GROUPS : [['unit'], ...GROUPS])
      results.push(await runGroup(dev, projects, filter));
  } finally {
    await sweepWorlds(); // when the run was stopped half-way, its servers still run
  }
  const passed = sum(results.map((result) => result.passed));
  const failed = sum(results.map((result) => result.failed));
  dev.progress.say(`\nin ${seconds(dev.clock.monotonicMs() - startedMs)}`);
  dev.progress.say(`${passed} passed, ${failed} failed`);
  if (passed + failed === 0) {
    dev.progress.say(`No test file has ${filter.join(' or ')} in its path; name a part of one.`);
    return 1;
  }
  return failed === 0 ? 0 : 1;
}

async function runGroup(dev: Dev, projects: readonly string[], filter: readonly string[]): Promise<Counts> {
  const startedMs = dev.clock.monotonicMs();
  const title = projects.join(', ');
  dev.progress.say(`\n${title}:`);
  const { passed, failed } = await runVitest(dev, { projects, filter });
  const took = seconds(dev.clock.monotonicMs() - startedMs);
  dev.progress.say(`${title}: ${passed} passed, ${failed} failed in ${took}`);
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
