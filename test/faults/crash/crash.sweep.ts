/** SIGKILL after every outside effect of operator, facade and agent, in every scenario: the world heals. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLanes } from './open-lanes.ts';
import { sweep, tableOf } from './sweep.ts';

/** They wait more than they work: for a lock's end, an agent's silence, a start. */
const LANES = 6;

/** A lane takes a few seconds to open, and more than a minute where eight others work. */
const OPEN_MS = 600_000;

const lanes = createLanes();
let keepFolder = false;

beforeAll(() => lanes.open(LANES), OPEN_MS);
afterAll(() => lanes.close({ keepFolder }));

test('whatever dies, and whenever: the end is as if nothing had died', async () => {
  keepFolder = true; // also when it throws
  const report = (line: string): void => void process.stdout.write(`${line}\n`);
  const result = await sweep(lanes.all, { report });
  report(tableOf(result));
  for (const { run } of result.runs)
    if (run.problems.length > 0) writeFileSync(join(lanes.folder, `${run.contractId}.txt`), run.story);
  keepFolder = result.problems.length > 0;
  if (keepFolder) report(`logs and the stories of contracts: ${lanes.folder}`);
  expect(result.problems).toEqual([]);
});
