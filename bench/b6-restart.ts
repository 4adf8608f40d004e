/**
 * B6: the operator is killed with 10k contracts at rest, and another one starts: from its first request until each
 * contract was reconciled, against a process that only lists and parses them. Its Lease is removed first: a new
 * operator waits up to 15 s for the one of a dead leader, and that says nothing about its work. Nothing may be
 * written meanwhile.
 */

import type { ManagedProcess } from '../dev/processes/managed-process.ts';
import { freePort } from '../dev/processes/ports.ts';
import { LEASES } from '../kube/lease.ts';
import { systemClock } from '../lib/clock.ts';
import { eventually } from '../test/world/eventually.ts';
import { startBareList } from './baselines/bare-list-process.ts';
import { fill, openEmptyHouse, reconcilesOf, versionsOf, writesBetween } from './crowd.ts';
import { type Benchmark, type House, NAMESPACE } from './house.ts';
import { interleave, median, ratioOf, WARM_UP } from './measure.ts';
import { type Row, showMs } from './report.ts';

const CONTRACTS = 10_000;
const GOAL = 2;

export const restartBench: Benchmark = {
  name: 'B6',
  run: async (house, { quick }) => {
    const [count, rounds] = quick ? [2000, 3] : [CONTRACTS, 5];
    const known = house.crowds.get(count);
    const crowded = known ?? (await openEmptyHouse(house));
    if (!known) await fill(crowded, count);
    let running: ManagedProcess | undefined;
    const fromKill: number[] = [];
    let writes = 0;
    const figures = await interleave(rounds, {
      ours: async (round) => {
        const before = await versionsOf(crowded);
        const rows = await rowsWritten(crowded);
        const restarted = await restart(crowded, { running, count });
        running = restarted.operator;
        await systemClock.sleep(2000); // what it would write late
        writes += writesBetween(before, await versionsOf(crowded)) + (await rowsWritten(crowded)) - rows;
        if (round !== WARM_UP) fromKill.push(restarted.fromKillMs);
        return restarted.reconciledMs;
      },
      bare: () => bareListMs(crowded),
    });
    await running?.stop();
    const ratio = ratioOf(figures.ours, figures.bare);
    const row: Row = {
      name: 'B6',
      what: `operator killed with ${count} contracts, another one started, ${rounds} times: until all are reconciled`,
      figure: `${showMs(median(figures.ours))} (from the kill, the start of Node included: ${showMs(median(fromKill))})`,
      baseline: `bare LIST and parse: ${showMs(median(figures.bare))}`,
      ratio,
      goal: `≤ ${GOAL}`,
      reached: ratio.median <= GOAL,
    };
    return [
      row,
      {
        name: 'B6',
        what: 'writes of these restarts, to the API server (but the Lease) and rows of PostgreSQL',
        figure: String(writes),
        baseline: 'none: nothing had changed',
        goal: '0',
        reached: writes === 0,
      },
    ];
  },
};

type Restarted = Readonly<{ operator: ManagedProcess; reconciledMs: number; fromKillMs: number }>;

async function restart(
  house: House,
  { running, count }: { running: ManagedProcess | undefined; count: number },
): Promise<Restarted> {
  if (running) {
    process.kill(-running.pid, 'SIGKILL');
    await running.exited;
  }
  const killedMs = systemClock.monotonicMs();
  await house.client.resource(LEASES).delete({ namespace: NAMESPACE, name: 'dcmarket-operator' });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const operator = await house.startOperator({ METRICS_PORT: String(port) });
  // It listens just before its caches begin to list.
  await eventually(() => fetch(`${url}/healthz`), { withinMs: 120_000, everyMs: 2 });
  const begunMs = systemClock.monotonicMs();
  await eventually(() => expectReconciled(url, count), { withinMs: 300_000, everyMs: 50 });
  const endedMs = systemClock.monotonicMs();
  return { operator, reconciledMs: endedMs - begunMs, fromKillMs: endedMs - killedMs };
}

async function expectReconciled(url: string, count: number): Promise<void> {
  const { contract } = await reconcilesOf(url);
  if (contract < count) throw new Error(`${contract} of ${count} are reconciled`);
}

async function bareListMs(house: House): Promise<number> {
  const { child, listed } = await startBareList(house);
  const { listMs } = await listed();
  await child.stop();
  return listMs;
}

/** Rows of PostgreSQL that were inserted, changed or deleted since it started; it counts with up to a second's delay. */
async function rowsWritten({ postgres }: House): Promise<number> {
  const { rows } = await postgres.query<{ written: string | null }>(
    'SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS written FROM pg_stat_user_tables',
  );
  return Number(rows[0]?.written ?? 0);
}
