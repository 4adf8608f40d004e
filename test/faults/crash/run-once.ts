/** One run of a scenario in a lane: with no crash, or with some, each right after the n-th effect of a process. */

import { messageOf } from '../../../agent/failure.ts';
import { hasEnded } from '../../../crds/contract/phase.ts';
import { systemClock } from '../../../lib/clock.ts';
import { eventually } from '../../world/eventually.ts';
import { judge } from '../oracles/judge.ts';
import { ACTORS, type Actor } from '../processes/effects.ts';
import { createTenant } from '../processes/tenant.ts';
import { differences, evidenceOf, type FinalState, finalStateOf } from './final-state.ts';
import type { Lane } from './lane.ts';
import { phaseOf, QUICKLY, SCENARIO, type ScenarioName, untilPhase } from './scenarios.ts';
import { storyOf } from './story.ts';

export type CrashPoint = Readonly<{ scenario: ScenarioName; by: Actor; n: number }>;

export type Run = Readonly<{
  contractId: string;
  state: FinalState;
  /** What each process did, in order. */
  effects: Readonly<Record<Actor, readonly string[]>>;
  /** The effects after which something crashed, in order. */
  crashedAfter: readonly string[];
  /** A sentence each; empty when all is well. */
  problems: readonly string[];
  /** What happened, for people. */
  story: string;
  ms: number;
}>;

/** An agent that crashed may confirm that a machine is gone only after 45 s; and two cores may be busy. */
const HEAL_MS = 150_000;
/** Nobody writes for so long: it has come to rest. */
const QUIET_MS = 1000;

type Wanted = Readonly<{
  scenario: ScenarioName;
  crashes?: readonly Readonly<{ by: Actor; n: number; what?: string }>[];
  /** `Phase`: do not wait until nothing is left to do, nor clean up; for the last run of a lane. */
  until?: 'Rest' | 'Phase';
  /** As it is without faults; undefined: this run shows it. */
  expected?: FinalState | undefined;
}>;

export async function runOnce(
  lane: Lane,
  { scenario: name, crashes = [], expected, until = 'Rest' }: Wanted,
): Promise<Run> {
  const { world, effects } = lane;
  const startedMs = systemClock.monotonicMs();
  const scenario = SCENARIO[name];
  const tenant = createTenant(world.url);
  world.treat(QUICKLY);
  const prepared = await scenario.prepare?.(lane, tenant);
  effects.restart(...crashes.map((crash) => ({ ...crash, burn: () => crashOf(lane, crash.by) })));
  const problems: string[] = [];
  const attempt = (step: Promise<unknown>): Promise<unknown> =>
    step.catch((error: unknown) => problems.push(messageOf(error)));
  const contractId = prepared ?? (await tenant.rent(world.offeringId));
  const about = { contractId, tenantKey: tenant.key.publicKey };
  await attempt(scenario.act(lane, { tenant, contractId }));
  await attempt(untilPhase(world, contractId, scenario.end));
  await attempt(lane.revived());
  if (until === 'Rest') {
    await attempt(untilHealed(lane, about, expected));
    await attempt(untilQuiet(lane));
  }
  const state = await finalStateOf(world, about);
  problems.push(...(expected ? differences(expected, state) : []));
  const evidence = await evidenceOf(world, contractId);
  problems.push(...judge(evidence));
  const seen = Object.fromEntries(ACTORS.map((by) => [by, effects.seen(by)])) as Run['effects']; // all of them
  const crashedAfter = effects.burntAt();
  const ms = systemClock.monotonicMs() - startedMs;
  if (until === 'Rest') await attempt(cleanUp(lane, { contractId, cancel: () => tenant.cancel(contractId) }));
  const all = [...new Set(problems)];
  return { contractId, state, effects: seen, crashedAfter, problems: all, story: storyOf(evidence), ms };
}

/** An agent's effect says itself which agent; the other two there are only once. */
function crashOf({ world, crash }: Lane, by: Actor): void {
  if (by !== 'agent') crash(world[by]);
}

function untilHealed(
  { world }: Lane,
  about: Readonly<{ contractId: string; tenantKey: string }>,
  expected: FinalState | undefined,
): Promise<void> {
  return eventually(
    async () => {
      const state = await finalStateOf(world, about);
      const left = expected ? differences(expected, state) : unfinished(state);
      if (left.length > 0) throw new Error(`not healed after ${HEAL_MS} ms: ${left.join('; ')}`);
    },
    { withinMs: HEAL_MS, everyMs: 250 },
  );
}

/** What a run that shows how it ends still waits for: nobody else may have a machine, what is over is archived. */
function unfinished({ phase, holders, machines, isArchived }: FinalState): readonly string[] {
  const isLive = phase === 'Active';
  const wanted = isLive ? 1 : 0;
  return [
    ...(holders === wanted ? [] : [`${holders} holders`]),
    ...(machines.length === wanted ? [] : [`${machines.length} machines`]),
    ...(isArchived !== isLive ? [] : ['it is not archived']),
  ];
}

/** Resolves when nothing was written for a while. Throws when that does not come. */
export async function untilQuiet({ effects }: Lane, quietMs = QUIET_MS): Promise<void> {
  const untilMs = systemClock.monotonicMs() + HEAL_MS;
  for (let last = -1; last !== effects.total(); ) {
    if (systemClock.monotonicMs() > untilMs) throw new Error('something writes for ever');
    last = effects.total();
    await systemClock.sleep(quietMs);
  }
}

async function cleanUp(
  lane: Lane,
  { contractId, cancel }: Readonly<{ contractId: string; cancel: () => Promise<void> }>,
): Promise<void> {
  lane.effects.restart();
  await Promise.all(lane.world.agents.map(({ program }) => program.start())); // one that nobody waited for
  const phase = phaseOf(lane.world, contractId);
  if (phase && hasEnded(phase)) return;
  await cancel();
  await untilPhase(lane.world, contractId, 'Cancelled');
  await untilQuiet(lane);
}
