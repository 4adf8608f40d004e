/** Seven crashes out of the sweep (`crash.sweep.ts`): each process killed with SIGKILL in the middle of its work. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lane } from './lane.ts';
import { createLanes } from './open-lanes.ts';
import { runOnce } from './run-once.ts';

const OPEN_MS = 600_000;

const lanes = createLanes();

beforeAll(() => lanes.open(1), OPEN_MS);
afterAll(() => lanes.close());

function theLane(): Lane {
  const [lane] = lanes.all;
  if (!lane) throw new Error('one was opened');
  return lane;
}

test('facade and operator die three times between the order and Active: one machine, one contract', async () => {
  const crashes = [
    { by: 'facade', what: 'create contracts', n: 1 },
    { by: 'operator', what: 'update contracts/status', n: 1 }, // Accepted
    { by: 'facade', what: 'update contracts/status', n: 1 }, // the grant
  ] as const;
  const run = await runOnce(theLane(), { scenario: 'job', crashes });
  expect(run.crashedAfter).toHaveLength(3);
  expect(run.problems).toEqual([]);
  expect(run.state).toMatchObject({ machines: ['Running'], holders: 1, contracts: 1, isKeyKept: true });
});

test('both die between the cancel and the end: no machine, and the archive has it', async () => {
  const crashes = [
    { by: 'facade', what: 'update contracts/status', n: 1 }, // the machine is gone
    { by: 'operator', what: 'insert archived_contracts', n: 1 },
  ] as const;
  const run = await runOnce(theLane(), { scenario: 'cancel', crashes });
  expect(run.crashedAfter).toHaveLength(2);
  expect(run.problems).toEqual([]);
  expect(run.state).toMatchObject({ machines: [], holders: 0, debts: 0, isArchived: true });
});

// These two last: an agent that died may confirm only after 45 s that nothing is left, and nobody waits for that here.
test('the agent dies with a password that it has set and told nobody: the tenant has one that counts', async () => {
  const crashes = [{ by: 'agent', what: 'password-set', n: 1 }] as const;
  const run = await runOnce(theLane(), { scenario: 'password', crashes, until: 'Phase' });
  expect(run.crashedAfter).toEqual(['password-set']);
  expect(run.problems).toEqual([]);
  const set = run.effects.agent.filter((what) => what === 'password-set');
  expect(set).toHaveLength(2); // of the first one nobody ever heard
  expect(run.state).toMatchObject({ phase: 'Active', machines: ['Running'], holders: 1 });
});

test('the agent dies with a machine that it has not reported, and reports it when it is back', async () => {
  const crashes = [{ by: 'agent', what: 'created', n: 1 }] as const;
  const run = await runOnce(theLane(), { scenario: 'job', crashes, until: 'Phase' });
  expect(run.crashedAfter).toEqual(['created']);
  expect(run.problems).toEqual([]);
  expect(run.state).toMatchObject({ phase: 'Active', machines: ['Running'], isVerified: true, contracts: 1 });
});
