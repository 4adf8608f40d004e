/** SIGKILL after every outside effect of operator, facade and agent, in every scenario: the world heals. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lanes, openLanes } from './open-lanes.ts';
import { sweep, tableOf } from './sweep.ts';

/** They wait more than they work: for a lock's end, an agent's silence, a start. */
const LANES = 6;

let lanes: Lanes;

beforeAll(async () => {
  lanes = await openLanes(LANES);
});
afterAll(() => lanes?.close());

test('whatever dies, and whenever: the end is as if nothing had died', async () => {
  const report = (line: string): void => void process.stdout.write(`${line}\n`);
  const result = await sweep(lanes.all, { report });
  report(tableOf(result));
  expect(result.problems).toEqual([]);
});
