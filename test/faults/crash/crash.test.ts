/** Six crashes out of the sweep (`crash.sweep.ts`): each process killed with SIGKILL in the middle of its work. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lane } from './lane.ts';
import { type Lanes, openLanes } from './open-lanes.ts';
import { runOnce } from './run-once.ts';

const OPEN_MS = 600_000;

const CHOSEN = [
  { scenario: 'job', by: 'facade', what: 'create contracts', n: 1 },
  { scenario: 'job', by: 'facade', what: 'update contracts/status', n: 1 }, // the grant
  { scenario: 'job', by: 'operator', what: 'update contracts/status', n: 1 }, // Accepted
  { scenario: 'cancel', by: 'operator', what: 'insert archived_contracts', n: 1 },
  { scenario: 'cancel', by: 'facade', what: 'update contracts/status', n: 1 }, // the machine is gone
] as const;

let lanes: Lanes;

beforeAll(async () => {
  lanes = await openLanes(1);
}, OPEN_MS);
afterAll(() => lanes?.close());

function theLane(): Lane {
  const [lane] = lanes.all;
  if (!lane) throw new Error('one was opened');
  return lane;
}

test.each(CHOSEN)(
  '$scenario: $by dies after "$what", and the world heals',
  async ({ scenario, ...crash }) => {
    const run = await runOnce(theLane(), { scenario, crash });
    expect(run.crashedAfter).toBe(crash.what);
    expect(run.problems).toEqual([]);
    expect(run.state).toMatchObject({ hasLock: false, debts: 0, contracts: 1, isKeyKept: true });
  },
);

// Last: it may confirm only after 45 s that nothing of its first epoch is left, and nobody waits for that here.
test('job: the agent dies with a machine that it has not reported, and reports it when it is back', async () => {
  const crash = { by: 'agent', what: 'created', n: 1 } as const;
  const run = await runOnce(theLane(), { scenario: 'job', crash, until: 'Phase' });
  expect(run.crashedAfter).toBe('created');
  expect(run.problems).toEqual([]);
  expect(run.state).toMatchObject({ phase: 'Active', machines: ['Running'], isVerified: true, contracts: 1 });
});
