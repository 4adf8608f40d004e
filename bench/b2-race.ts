/** B2: 100 agents race for one contract; how long until all are answered. More or fewer winners than one throws. */
import { isLive } from '../crds/contract/contract.ts';
import { idOf } from '../test/world/market.ts';
import { addFree, claim, openStage } from './actors.ts';
import { addRows, claimRow, makeLockTable } from './baselines/pg-lock.ts';
import { startSignedPostgres } from './baselines/signed-postgres.ts';
import type { Benchmark } from './house.ts';
import { interleave, median, percentile, ratioOf, timed } from './measure.ts';
import { type Row, showMs } from './report.ts';

const AGENTS = 100;
const GOAL = 0.5;

export const raceBench: Benchmark = {
  name: 'B2',
  run: async (house, { quick }) => {
    const rounds = quick ? 20 : 200;
    const stage = await openStage(house, { namespace: 'b2', agents: AGENTS });
    await makeLockTable(house.postgres);
    const signed = await startSignedPostgres(house, 'b2-signed-postgres');
    const times = await interleave(rounds, {
      ours: async (round) => {
        const [contract] = await addFree(stage, { count: 1, prefix: `race-${round}` });
        if (!contract) throw new Error('no contract was made');
        const contractId = idOf(contract);
        const race = () =>
          Promise.all(stage.actors.map((actor) => claim(house, { stage, actor, contractId })));
        const ms = await timedRace(async () => (await race()).map((epoch) => epoch !== undefined));
        const live = await stage.contracts.get(contract.metadata);
        if (!live || !isLive(live) || live.status.epoch !== 1 || live.status.holders?.length !== 1)
          throw new Error(`round ${round} left ${JSON.stringify(live?.status)}`);
        return ms;
      },
      signedPostgres: async (round) => {
        const prefix = `b2-signed-${round}`;
        const [id = ''] = await addRows(house.postgres, { count: 1, prefix, contract: {} });
        return timedRace(() => Promise.all(stage.actors.map(({ caller }) => signed.claim(caller, id))));
      },
      postgres: async (round) => {
        const [id = ''] = await addRows(house.postgres, {
          count: 1,
          prefix: `b2-bare-${round}`,
          contract: {},
        });
        return timedRace(() =>
          Promise.all(
            stage.actors.map(
              async (_, index) => (await claimRow(house.postgres, id, `${index}`)) !== undefined,
            ),
          ),
        );
      },
    });
    await signed.stop();
    const show = (ms: readonly number[]): string =>
      `p50 ${showMs(median(ms))}, p99 ${showMs(percentile(ms, 0.99))}`;
    const row = (baseline: string, theirs: readonly number[], goal?: number): Row => {
      const ratio = ratioOf(times.ours, theirs);
      return {
        name: 'B2',
        what: `${AGENTS} agents race for one, ${rounds} rounds, exactly one winner in each: time until all are answered`,
        figure: show(times.ours),
        baseline: `${baseline}: ${show(theirs)}`,
        ratio,
        goal: goal === undefined ? 'none' : `≤ ${goal}`,
        ...(goal === undefined ? {} : { reached: ratio.median <= goal }),
      };
    };
    return [
      row('PostgreSQL row behind the same signature', times.signedPostgres, GOAL),
      row('PostgreSQL row, bare SQL over 100 connections', times.postgres),
    ];
  },
};

async function timedRace(race: () => Promise<readonly boolean[]>): Promise<number> {
  let won: readonly boolean[] = [];
  const ms = await timed(async () => {
    won = await race();
  });
  const winners = won.filter(Boolean).length;
  if (winners !== 1) throw new Error(`a race had ${winners} winners`);
  return ms;
}
