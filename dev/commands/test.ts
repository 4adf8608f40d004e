/** `npm test`: everything. Ends with the line `N passed, N failed`, and fails when something failed. */
import { sweepWorlds } from '../../test/world/world.ts';
import { seconds } from '../bootstrap/line.mjs';
import { check } from './check.ts';
import type { Dev } from './dev.ts';
import { type Counts, runVitest } from './vitest.ts';

/** Those that `npm run check` does not run. */
const LONGER = ['explorer', 'process', 'cluster', 'faults', 'e2e'];

export async function runTest(dev: Dev, filter: readonly string[]): Promise<number> {
  const startedMs = dev.clock.monotonicMs();
  const results: Counts[] = filter.length === 0 ? [await check(dev)] : [];
  try {
    // One after the other: both start API servers, and two of them at once only slow each other down.
    for (const project of filter.length === 0 ? LONGER : ['unit', ...LONGER]) {
      dev.progress.say(`\n${project}:`);
      results.push(await runVitest(dev, { project, filter }));
    }
  } finally {
    await sweepWorlds(); // when the run was stopped half-way, its servers still run
  }
  const passed = sum(results.map((result) => result.passed));
  const failed = sum(results.map((result) => result.failed));
  dev.progress.say(`\nin ${seconds(dev.clock.monotonicMs() - startedMs)}`);
  dev.progress.say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** `npm run test:faults`: the long form of explorer and faults, which `npm test` runs a fixed part of. */
export async function runFaultSweep(dev: Dev, filter: readonly string[]): Promise<number> {
  const startedMs = dev.clock.monotonicMs();
  try {
    const { passed, failed } = await runVitest(dev, { project: 'sweep', filter });
    dev.progress.say(`\nin ${seconds(dev.clock.monotonicMs() - startedMs)}`);
    dev.progress.say(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await sweepWorlds();
  }
}

export async function runUnitTests(dev: Dev, filter: readonly string[]): Promise<number> {
  const { failed } = await runVitest(dev, { project: 'unit', filter });
  return failed === 0 ? 0 : 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
