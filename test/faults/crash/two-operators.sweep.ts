/**
 * Of two operators one acts. The leader is stalled with SIGSTOP while a write of its own is on its way; the other
 * one leads and the job goes on; then the late write arrives, and the old leader wakes up. Nothing changes.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../lib/clock.ts';
import { eventually } from '../../world/eventually.ts';
import { judge } from '../oracles/judge.ts';
import { createTenant } from '../processes/tenant.ts';
import { evidenceOf, finalStateOf } from './final-state.ts';
import type { Lane } from './lane.ts';
import { createLanes } from './open-lanes.ts';
import { runOnce, untilQuiet } from './run-once.ts';
import { untilPhase } from './scenarios.ts';

/** Longer than the Lease of four seconds, and the time that a job takes. */
const LATE_MS = 15_000;
const AWAKE_MS = 5_000;

/** A lane takes a few seconds to open, and more than a minute where eight others work. */
const OPEN_MS = 600_000;

const lanes = createLanes();

beforeAll(() => lanes.open(1), OPEN_MS);
afterAll(() => lanes.close());

const leaderOf = async ({ world }: Lane): Promise<string> => {
  const { namespace, clients } = world;
  const lease = await clients.leases.get({ namespace, name: 'dcmarket-operator' });
  return lease?.spec.holderIdentity ?? '';
};

test('a leader that is stalled past its Lease and woken up changes no outcome', async () => {
  const [lane] = lanes.all;
  if (!lane) throw new Error('one was opened');
  const { world } = lane;
  const { operator, ways, url, offeringId } = world;
  const expected = await runOnce(lane, { scenario: 'job' });
  const second = await world.startSecondOperator();
  const first = await leaderOf(lane);

  let late = 0;
  ways.operator.apiServer.decide(({ isWrite, resource, subresource }) => {
    if (!isWrite || resource !== 'contracts' || subresource !== 'status') return { type: 'Pass' };
    operator.signal('SIGSTOP');
    late++;
    return { type: 'Delay', ms: LATE_MS };
  });
  const tenant = createTenant(url);
  const contractId = await tenant.rent(offeringId);
  await untilPhase(world, contractId, 'Active');
  const about = { contractId, tenantKey: tenant.key.publicKey };
  expect(late).toBe(1);
  expect(await leaderOf(lane)).not.toBe(first);

  const committed: string[] = [];
  ways.operator.apiServer.decide(({ isWrite, resource, verb, name }) =>
    isWrite && resource !== 'leases'
      ? {
          type: 'AfterCommit',
          run: async (status) => void committed.push(`${verb} ${resource} ${name}: ${status}`),
          reply: 'Send',
        }
      : { type: 'Pass' },
  );
  const before = await finalStateOf(world, about);
  operator.signal('SIGCONT');
  await systemClock.sleep(LATE_MS + AWAKE_MS);
  await untilQuiet(lane);
  expect(await finalStateOf(world, about)).toEqual(before);
  expect(before).toEqual(expected.state);
  expect(judge(await evidenceOf(world, contractId))).toEqual([]);
  expect(committed).toEqual([]);

  // The one that leads now dies: the one that was stalled can lead again.
  const leader = await leaderOf(lane);
  second.program.kill();
  await eventually(async () => {
    const now = await leaderOf(lane);
    if (now === leader) throw new Error('nobody has followed');
  });
  await tenant.cancel(contractId);
  await untilPhase(world, contractId, 'Cancelled');
});
