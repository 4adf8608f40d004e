/**
 * B11: a contract waits and its only agent is offline; the agent comes back. From its first heartbeat to the lock:
 * heartbeat, Lease, poll, claim, as dc-agent does at its start. One at a time: this is latency, not load.
 */

import { WorkList } from '../crds/wire/work-list.ts';
import { systemClock } from '../lib/clock.ts';
import { eventually } from '../test/world/eventually.ts';
import { idOf } from '../test/world/market.ts';
import { type Actor, addFree, type BenchStage, claim, dataOf, heartbeat, openStage } from './actors.ts';
import type { Benchmark, House } from './house.ts';
import { median, percentile } from './measure.ts';
import { showMs } from './report.ts';

const SAMPLES = 200;
const WARM_UPS = 5;
const P50_GOAL_MS = 100;
const P99_GOAL_MS = 1000;

export const onlineBench: Benchmark = {
  name: 'B11',
  run: async (house, { quick }) => {
    const samples = quick ? 30 : SAMPLES;
    const stage = await openStage(house, { namespace: 'b11', agents: 1 });
    const [first] = stage.actors;
    if (!first) throw new Error('no agent is on the stage');
    let actor = first;
    const taken: number[] = [];
    for (let n = 0; n < WARM_UPS + samples; n++) {
      await leave(house, { stage, actor });
      const [contract] = await addFree(stage, { count: 1, prefix: `online-${n}` });
      if (!contract) throw new Error('no contract was made');
      const contractId = idOf(contract);
      await eventually(() => expectWaits(house, { stage, contractId }));
      actor = { ...actor, session: `session-${n + 1}`, incarnation: actor.incarnation + 1 };
      const ms = await comeOnline(house, { stage, actor, contractId });
      if (n >= WARM_UPS) taken.push(ms);
    }
    const [p50, p99] = [median(taken), percentile(taken, 0.99)];
    return [
      {
        name: 'B11',
        what: `an agent comes online → it holds the lock of what waited, ${samples} times, one at a time`,
        figure: `p50 ${showMs(p50)}, p99 ${showMs(p99)}`,
        baseline: '30-s poll, computed, not measured: p50 15000 ms, p99 29700 ms',
        goal: `p50 ≤ ${P50_GOAL_MS} ms, p99 ≤ ${P99_GOAL_MS} ms`,
        reached: p50 <= P50_GOAL_MS && p99 <= P99_GOAL_MS,
      },
    ];
  },
};

type Acting = Readonly<{ stage: BenchStage; actor: Actor }>;
type About = Readonly<{ stage: BenchStage; contractId: string }>;

/** The last heartbeat of a graceful stop. */
async function leave({ facade }: House, { stage, actor }: Acting): Promise<void> {
  const { session, incarnation } = actor;
  const said = { version: '1.0.0', provisionerType: 'script', activeContracts: 0 };
  const path = `/api/v1/providers/${stage.provider.publicKey}/heartbeat`;
  const body = { ...said, session, incarnation, leaving: true };
  const answer = await actor.caller.call(facade, { method: 'POST', path, body });
  if (answer.status !== 200) throw new Error(`leaving: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** The facade has heard of the contract, and that nobody is there. */
async function expectWaits({ facade, callers }: House, { stage, contractId }: About): Promise<void> {
  const path = `/api/v1/contracts/${contractId}`;
  const { body } = await callers.caller(stage.provider).call(facade, { method: 'GET', path });
  const text = JSON.stringify(body);
  if (!text.includes('"NoAgentOnline"')) throw new Error(`it does not wait: ${text.slice(0, 500)}`);
}

async function comeOnline(house: House, { stage, actor, contractId }: Acting & About): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  await heartbeat(house, { stage, actor });
  const path = `/api/v1/providers/${stage.provider.publicKey}/work?wait=20`;
  for (;;) {
    const { status, body } = await actor.caller.call(house.facade, { method: 'GET', path });
    if (status !== 200) throw new Error(`work: ${status} ${JSON.stringify(body)}`);
    const isOffered = WorkList.parse(dataOf(body)).some((item) => item.contractId === contractId);
    if (isOffered && (await claim(house, { stage, actor, contractId })) !== undefined) break;
  }
  return systemClock.monotonicMs() - startedMs;
}
