/**
 * B1: 64 agents claim 1000 free contracts, one at a time each, over one facade; against bare PUTs of the same
 * statuses on equal objects. No operator runs: it is not on this path, and nothing here writes an Event.
 */
import type { Contract } from '../crds/contract/contract.ts';
import { systemClock } from '../lib/clock.ts';
import { idOf } from '../test/world/market.ts';
import { addFree, claim, heartbeat, openStage } from './actors.ts';
import { addClaimed } from './baselines/bare-put.ts';
import { addRows, claimRow, makeLockTable } from './baselines/pg-lock.ts';
import { startSignedPostgres } from './baselines/signed-postgres.ts';
import { type Benchmark, CONNECTIONS } from './house.ts';
import { interleave, median, ratioOf, share, timed } from './measure.ts';
import { type Row, showRate } from './report.ts';

const AGENTS = 64;
const CONTRACTS = 1000;
const GOAL = 0.8;

export const claimBench: Benchmark = {
  name: 'B1',
  run: async (house, { quick }) => {
    const [rounds, count] = quick ? [3, 300] : [5, CONTRACTS];
    const stage = await openStage(house, { namespace: 'b1', agents: AGENTS });
    const bare = house.client.fork({ connectionsMax: CONNECTIONS });
    const statuses = bare.resource<Contract>(stage.contracts.type);
    await makeLockTable(house.postgres);
    const signed = await startSignedPostgres(house, 'b1-signed-postgres');
    const actorOf = (worker: number) => stage.actors[worker] ?? fail();
    const rateOf = (ms: number): number => (1000 * count) / ms;
    const [sample] = await addFree(stage, { count: 1, prefix: 'sample' });
    if (!sample) return fail();

    const rates = await interleave(rounds, {
      ours: async (round) => {
        const ids = (await addFree(stage, { count, prefix: `ours-${round}` })).map(idOf);
        await Promise.all(stage.actors.map((actor) => heartbeat(house, { stage, actor })));
        const each = async (contractId: string, worker: number): Promise<void> => {
          const epoch = await claim(house, { stage, actor: actorOf(worker), contractId });
          if (epoch !== 1) throw new Error(`a free contract was not granted: epoch ${epoch}`);
        };
        return rateOf(await timed(() => share(ids, { size: AGENTS, each })));
      },
      bare: async (round) => {
        const now = systemClock.now();
        const claimed = await addClaimed(stage, { count, prefix: `bare-${round}`, now });
        const each = (contract: Contract) => statuses.updateStatus(contract);
        return rateOf(await timed(() => share(claimed, { size: AGENTS, each })));
      },
      signedPostgres: async (round) => {
        const ids = await addRows(house.postgres, { count, prefix: `b1-signed-${round}`, contract: sample });
        const each = (id: string, worker: number) => signed.claim(actorOf(worker).caller, id);
        return rateOf(await timed(() => share(ids, { size: AGENTS, each })));
      },
      postgres: async (round) => {
        const ids = await addRows(house.postgres, { count, prefix: `b1-bare-${round}`, contract: sample });
        const each = (id: string, worker: number) => claimRow(house.postgres, id, `agent-${worker}`);
        return rateOf(await timed(() => share(ids, { size: AGENTS, each })));
      },
    });
    await bare.close();
    await signed.stop();
    const row = (baseline: string, theirs: readonly number[], goal?: number): Row => {
      const ratio = ratioOf(rates.ours, theirs);
      return {
        name: 'B1',
        what: `${AGENTS} agents claim ${count} free contracts, ${rounds} rounds`,
        figure: showRate(median(rates.ours)),
        baseline: `${baseline}: ${showRate(median(theirs))}`,
        ratio,
        goal: goal === undefined ? 'none' : `≥ ${goal}`,
        ...(goal === undefined ? {} : { reached: ratio.median >= goal }),
      };
    };
    return [
      row('bare PUT /status', rates.bare, GOAL),
      row('PostgreSQL row behind the same signature', rates.signedPostgres),
      row('PostgreSQL row, bare SQL', rates.postgres),
    ];
  },
};

function fail(): never {
  throw new Error('nobody is on the stage');
}
