/**
 * All crash points of all scenarios, shared by several lanes. A run without a crash comes first: it shows how many
 * effects each process has, and the final state that every other run must reach too.
 */
import { systemClock } from '../../../lib/clock.ts';
import { eventually } from '../../world/eventually.ts';
import { ACTORS } from '../processes/effects.ts';
import { countedIn } from './final-state.ts';
import type { Lane } from './lane.ts';
import { type CrashPoint, type Run, runOnce, untilQuiet } from './run-once.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';

export type Swept = Readonly<{ point: CrashPoint; run: Run }>;
export type SweepResult = Readonly<{
  withoutCrash: Readonly<Record<ScenarioName, Run>>;
  runs: readonly Swept[];
  /** A sentence each, with the point that it is about. */
  problems: readonly string[];
  seconds: number;
}>;

/** Longer than the pause between two writes of figures that always move. */
const LONG_QUIET_MS = 12_000;

type Options = Readonly<{ only?: readonly ScenarioName[]; report: (line: string) => void }>;

export async function sweep(
  lanes: readonly Lane[],
  { only = SCENARIOS, report }: Options,
): Promise<SweepResult> {
  const startedMs = systemClock.monotonicMs();
  const withoutCrash = new Map<ScenarioName, Run>();
  await share(lanes, only, async (lane, scenario) => {
    withoutCrash.set(scenario, await runOnce(lane, { scenario }));
  });
  const points = [...withoutCrash].flatMap(([scenario, { effects }]) =>
    ACTORS.flatMap((by) => effects[by].map((_, index): CrashPoint => ({ scenario, by, n: index + 1 }))),
  );
  const runs: Swept[] = [];
  const broken: string[] = [];
  // Those that take longest first: no lane is left with one of them when the others are done.
  await share(lanes, points.sort(slowFirst), async (lane, point) => {
    const expected = withoutCrash.get(point.scenario)?.state;
    try {
      const run = await runOnce(lane, { scenario: point.scenario, crashes: [point], expected });
      runs.push({ point, run });
      report(lineOf({ point, run }));
    } catch (error) {
      broken.push(`${nameOf(point)}: ${String(error)}`); // the others go on
      report(broken.at(-1) ?? '');
    }
  });
  const left = await Promise.all(lanes.map((lane) => restOf(lane)));
  const problems = [
    ...[...withoutCrash].flatMap(([scenario, run]) => run.problems.map((one) => `${scenario}: ${one}`)),
    ...runs.flatMap(({ point, run }) =>
      run.problems.map(
        (one) => `${nameOf(point)}, after ${run.crashedAfter.join()}, ${run.contractId}: ${one}`,
      ),
    ),
    ...broken,
    ...left.flat(),
  ];
  const seconds = Math.round((systemClock.monotonicMs() - startedMs) / 1000);
  return {
    withoutCrash: Object.fromEntries(withoutCrash) as SweepResult['withoutCrash'],
    runs,
    problems,
    seconds,
  };
}

/** Each lane takes the next task as soon as it is done with one. */
async function share<T>(
  lanes: readonly Lane[],
  tasks: readonly T[],
  perform: (lane: Lane, task: T) => Promise<void>,
): Promise<void> {
  const left = [...tasks];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let task = left.shift(); task !== undefined; task = left.shift()) await perform(lane, task);
    }),
  );
}

const slowFirst = (a: CrashPoint, b: CrashPoint): number => slownessOf(b) - slownessOf(a);
const slownessOf = ({ scenario, by }: CrashPoint): number =>
  (scenario === 'takeover' ? 2 : 0) + (by === 'agent' ? 1 : 0);

/** When all contracts of a lane have ended, nobody counts one any more and nobody writes. */
async function restOf(lane: Lane): Promise<string[]> {
  try {
    await untilQuiet(lane, LONG_QUIET_MS);
    await eventually(async () => {
      const counted = await countedIn(lane.world);
      if (counted > 0) throw new Error(`agents and pool still count ${counted} contracts as theirs`);
    });
    return [];
  } catch (error) {
    return [`${lane.world.namespace} does not come to rest: ${String(error)}`];
  }
}

const nameOf = ({ scenario, by, n }: CrashPoint): string => `${scenario}/${by}/${n}`;

function lineOf({ point, run }: Swept): string {
  const how = run.crashedAfter[0] ?? 'not reached';
  const verdict = run.problems.length === 0 ? 'healed' : `NOT HEALED: ${run.problems.join('; ')}`;
  return `${nameOf(point)}  ${how}  ${(run.ms / 1000).toFixed(1)} s  ${verdict}`;
}

/** A line for each scenario: crash points of each process, and how long the runs took. */
export function tableOf({ runs, seconds }: SweepResult): string {
  const lines = SCENARIOS.flatMap((scenario) => {
    const its = runs.filter(({ point }) => point.scenario === scenario);
    if (its.length === 0) return [];
    const crashed = its.filter(({ run }) => run.crashedAfter.length > 0);
    const each = ACTORS.map((by) => `${crashed.filter(({ point }) => point.by === by).length} ${by}`);
    const took = its.map(({ run }) => run.ms / 1000).sort((a, b) => a - b);
    const median = (took[Math.floor(took.length / 2)] ?? 0).toFixed(1);
    const missed = its.length - crashed.length;
    return [
      `${scenario}: ${crashed.length} crashes (${each.join(', ')}), ${missed} not reached, median ${median} s`,
    ];
  });
  const all = runs.filter(({ run }) => run.crashedAfter.length > 0).length;
  return [...lines, `crash sweep: ${all} crashes in ${seconds} s`].join('\n');
}
