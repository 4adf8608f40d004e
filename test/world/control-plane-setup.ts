/** Set-up of the project `e2e`: only makes sure that the binaries are there; each file starts its own. */
import type { TestProject } from 'vitest/node';
import { sweepWorlds, testBinaries } from './world.ts';

export async function setup(project: TestProject): Promise<void> {
  await sweepWorlds();
  const { folder } = await testBinaries();
  project.provide('controlPlaneFolder', folder);
}
