/** Six crashes out of the sweep (`crash.sweep.ts`): each process killed with SIGKILL in the middle of its work. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lanes, openLanes } from './open-lanes.ts';
import { type CrashPoint, runOnce } from './run-once.ts';

const CHOSEN: readonly CrashPoint[] = [
  { scenario: 'job', by: 'operator', n: 1 },
  { scenario: 'job', by: 'operator', n: 4 },
  { scenario: 'job', by: 'facade', n: 2 },
  { scenario: 'job', by: 'facade', n: 4 },
  { scenario: 'cancel', by: 'operator', n: 1 },
  { scenario: 'early-cancel', by: 'facade', n: 2 },
];

/** A lane takes a few seconds to open, and more than a minute where eight others work. */
const OPEN_MS = 600_000;

let lanes: Lanes;

beforeAll(async () => {
  lanes = await openLanes(1);
}, OPEN_MS);
afterAll(() => lanes?.close());

test.each(CHOSEN)(
  '$scenario: the $by dies after its effect no. $n, and the world heals',
  async ({ scenario, ...crash }) => {
    const [lane] = lanes.all;
    if (!lane) throw new Error('one was opened');
    const run = await runOnce(lane, { scenario, crash });
    expect(run.crashedAfter).toBeDefined();
    expect(run.problems).toEqual([]);
    expect(run.state).toMatchObject({ hasLock: false, debts: 0, contracts: 1, isKeyKept: true });
  },
);
