/**
 * B3: from a tenant's POST to the moment an agent holds the lock: idempotency key in PostgreSQL, Contract, operator,
 * long poll, claim. The agent claims at once and builds nothing. One contract at a time: this is latency, not load.
 */
import { systemClock } from '../lib/clock.ts';
import { eventually } from '../test/world/eventually.ts';
import { makeOffering, openStage, rent } from './actors.ts';
import { openQueue } from './baselines/pg-queue.ts';
import type { Benchmark } from './house.ts';
import { interleave, median, percentile, type Ratio, ratioOf, timed, WARM_UP } from './measure.ts';
import { type Row, showMs } from './report.ts';
import { keepAlive, runStandIn } from './stand-in.ts';

const P50_GOAL_MS = 30;
const P99_GOAL_MS = 150;
/** An agent of the reference asks every 30 s: what is created meanwhile waits 0 to 30 s, each as likely. */
const POLL_MS = 30_000;
const SAMPLES_A_ROUND = 40;
const LOCKED_WITHIN_MS = 10_000;

export const createToLockedBench: Benchmark = {
  name: 'B3',
  run: async (house, { quick }) => {
    const rounds = quick ? 2 : 5;
    const operator = await house.startOperator();
    const stage = await openStage(house, { namespace: 'b3', agents: 1 });
    const offering = await makeOffering(house.client, 'b3');
    const tenant = house.callers.caller();
    const over = new AbortController();
    const lockedAtMs = new Map<string, number>();
    let onLocked = (): void => {};
    const [actor] = stage.actors;
    if (!actor) throw new Error('no agent is on the stage');
    const standIn = {
      stage,
      actor,
      onLocked: ({ contractId }: { contractId: string }): void => {
        lockedAtMs.set(contractId, systemClock.monotonicMs());
        onLocked();
      },
    };
    const running = Promise.all([
      runStandIn(house, standIn, over.signal),
      keepAlive(house, { stage, actor }, over.signal),
    ]);
    const failed = new Promise<never>((_, reject) => running.catch(reject));
    const rentAndAwait = async (): Promise<number> => {
      const startedMs = systemClock.monotonicMs();
      const contractId = await rent(house, tenant, offering);
      while (!lockedAtMs.has(contractId)) {
        const heard = new Promise<void>((resolve) => {
          onLocked = resolve;
        });
        const tooLate = systemClock.sleep(LOCKED_WITHIN_MS).then(() => {
          throw new Error(`contract ${contractId} was not locked within ${LOCKED_WITHIN_MS} ms`);
        });
        tooLate.catch(() => undefined);
        await Promise.race([heard, failed, tooLate]);
      }
      return (lockedAtMs.get(contractId) ?? Number.NaN) - startedMs;
    };
    await eventually(rentAndAwait, { withinMs: 30_000 }); // the operator leads, the schema is there
    const queue = await openQueue(house.postgres, house.databaseUrl);
    const ours: number[] = [];
    const queued: number[] = [];
    const repeat = async (sample: () => Promise<number>): Promise<number[]> => {
      const taken: number[] = [];
      for (let n = 0; n < SAMPLES_A_ROUND; n++) taken.push(await sample());
      return taken;
    };
    const keep = (into: number[], { round, taken }: { round: number; taken: number[] }): number => {
      if (round !== WARM_UP) into.push(...taken);
      return median(taken);
    };
    const document = (await stage.contracts.list({ namespace: 'b3', limit: 1 })).items[0]?.spec ?? {};
    const medians = await interleave(rounds, {
      ours: async (round) => keep(ours, { round, taken: await repeat(rentAndAwait) }),
      queue: async (round) => {
        const taken = await repeat(() => timed(() => queue.putAndAwait(document)));
        return keep(queued, { round, taken });
      },
    });
    over.abort();
    await queue.close();
    await operator.stop();
    return rowsOf({ ours, queued, ratio: ratioOf(medians.ours, medians.queue) });
  },
};

function rowsOf({ ours, queued, ratio }: { ours: number[]; queued: number[]; ratio: Ratio }): Row[] {
  const [p50, p99] = [median(ours), percentile(ours, 0.99)];
  const what = `POST a contract → an agent holds the lock, ${ours.length} contracts, one at a time`;
  const figure = `p50 ${showMs(p50)}, p99 ${showMs(p99)}`;
  const queue = `own minimal SQL queue (LISTEN, SKIP LOCKED; no HTTP, no signature): p50 ${showMs(median(queued))}, p99 ${showMs(percentile(queued, 0.99))}`;
  const poll = `30-s poll, computed, not measured: p50 ${showMs(POLL_MS / 2)}, p99 ${showMs(POLL_MS * 0.99)}`;
  const ofPoll = p50 / (POLL_MS / 2);
  return [
    {
      ...{ name: 'B3', what, figure, baseline: queue, ratio },
      goal: `p50 ≤ ${P50_GOAL_MS} ms, p99 ≤ ${P99_GOAL_MS} ms`,
      reached: p50 <= P50_GOAL_MS && p99 <= P99_GOAL_MS,
    },
    { ...{ name: 'B3', what, figure, baseline: poll }, goal: `none (p50 is 1/${Math.round(1 / ofPoll)})` },
  ];
}
