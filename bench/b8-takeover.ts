/**
 * B8: an agent is killed with SIGKILL while it builds, and another one of its pool takes over. What counts is from
 * the moment the operator declares the lock expired until the other one has claimed; the lock's TTL before that is
 * a promise to the agent that died, and is printed beside it, as is what a killed operator adds.
 */
import { join } from 'node:path';
import { createDatabaseIn } from '../dev/postgres/database-url.ts';
import { systemClock } from '../lib/clock.ts';
import type { Version } from '../test/faults/oracles/history.ts';
import { openProcessWorld, type ProcessWorld } from '../test/faults/processes/process-world.ts';
import { eventually } from '../test/world/eventually.ts';
import type { Benchmark, House } from './house.ts';
import { median } from './measure.ts';
import { type Row, showMs } from './report.ts';

const GOAL_MS = 1000;
/**
 * The Lease of a dead agent is fresh for 45 s, and as long as it is the agent goes first for 30 s after an expiry:
 * it may have come back. With a TTL above 67 s (a lock may be renewed for the last time a third of it before the
 * kill) the Lease is stale by then, as it is with the default of 300 s, and nobody has to be waited for.
 */
const TTL_SECONDS = 75;
/** As many as an agent builds at a time. */
const CONTRACTS = 4;
const BUILD_MS = 3000;
const NEVER_MS = 600_000;
const RENT_EVERY_MS = 1000;
const TAKEN_OVER_MS = 240_000;

type Killed = 'Agent' | 'AgentAndOperator';
type Sample = Readonly<{ killToExpiryMs: number; expiryToClaimMs: number; claimToReportMs: number }>;

export const takeoverBench: Benchmark = {
  name: 'B8',
  run: async (house, { quick }) => {
    const worlds: readonly Killed[] = quick
      ? ['Agent', 'AgentAndOperator']
      : ['Agent', 'Agent', 'AgentAndOperator'];
    const measured = await Promise.all(
      worlds.map(async (killed, index) => ({ killed, samples: await measure(house, { killed, index }) })),
    );
    const of = (which: Killed): readonly Sample[] =>
      measured.flatMap(({ killed, samples }) => (killed === which ? samples : []));
    return rowsOf({ agent: of('Agent'), both: of('AgentAndOperator') });
  },
};

async function measure(
  house: House,
  { killed, index }: Readonly<{ killed: Killed; index: number }>,
): Promise<readonly Sample[]> {
  const namespace = `b8-${index}`;
  await house.makeNamespace(namespace);
  const world = await openProcessWorld({
    kubeconfig: house.kubeconfig,
    runFolder: join(house.folder, 'run'),
    folder: house.folder,
    namespace,
    databaseUrl: await createDatabaseIn(house.databaseUrl, `b8_${index}`),
    lockTtlSeconds: TTL_SECONDS,
    leaderLease: 'Default',
  });
  try {
    const [victim, heir] = world.agents;
    if (!victim || !heir) throw new Error('there are two agents');
    await heir.program.stop();
    world.treat(({ action }) => ({ slowMs: action === 'create' ? NEVER_MS : 0 }));
    for (let n = 0; n < CONTRACTS; n++) {
      await world.tenant.rent(world.offeringId);
      await systemClock.sleep(RENT_EVERY_MS);
    }
    await eventually(async () => {
      const begun = world.ledger.records().filter(({ event }) => event === 'create-begun');
      if (begun.length < CONTRACTS) throw new Error(`${begun.length} of ${CONTRACTS} are being built`);
    });
    const killedAt = systemClock.now();
    victim.program.kill();
    if (killed === 'AgentAndOperator') world.operator.kill();
    world.treat(({ action }) => ({ slowMs: action === 'create' ? BUILD_MS : 0 }));
    await Promise.all([heir.program.start(), world.operator.start()]);
    return await eventually(async () => samplesOf(world, killedAt), {
      withinMs: TAKEN_OVER_MS,
      everyMs: 500,
    });
  } finally {
    await world.close();
  }
}

/** Throws until every contract was reported by the heir. All moments are seen by one watch, in this process. */
function samplesOf({ history }: ProcessWorld, killedAt: Date): readonly Sample[] {
  const all = [...history.all().values()].map((versions): Sample => {
    const after = versions.filter(({ heardAt }) => heardAt > killedAt);
    const find = (phase: string, isIt: (version: Version) => boolean = () => true): number => {
      const found = after.find((one) => one.contract.status?.phase === phase && isIt(one));
      if (!found) throw new Error(`a contract has not been ${phase} again`);
      return found.heardAt.getTime();
    };
    const expiredMs = find('Accepted');
    const claimedMs = find('Provisioning', ({ heardAt }) => heardAt.getTime() >= expiredMs);
    return {
      killToExpiryMs: expiredMs - killedAt.getTime(),
      expiryToClaimMs: claimedMs - expiredMs,
      claimToReportMs: find('Provisioned') - claimedMs,
    };
  });
  return all;
}

type Samples = Readonly<{ agent: readonly Sample[]; both: readonly Sample[] }>;

function rowsOf({ agent, both }: Samples): Row[] {
  const each = (samples: readonly Sample[], key: keyof Sample): readonly number[] =>
    samples.map((sample) => sample[key]);
  const show = (figures: readonly number[]): string =>
    `median ${showMs(median(figures))}, most ${showMs(Math.max(...figures))}`;
  const claims = each(agent, 'expiryToClaimMs');
  const added = median(each(both, 'killToExpiryMs')) - median(each(agent, 'killToExpiryMs'));
  const ttl = `lock TTL ${TTL_SECONDS} s, renewed every ${TTL_SECONDS / 3} s`;
  const name = 'B8';
  return [
    {
      name,
      what: `agent killed while it builds, ${agent.length} contracts: expiry declared → another one has claimed`,
      figure: show(claims),
      baseline: 'none: an absolute goal',
      goal: `≤ ${showMs(GOAL_MS)}`,
      reached: Math.max(...claims) <= GOAL_MS,
    },
    {
      name,
      what: 'the same: claimed → reported',
      figure: show(each(agent, 'claimToReportMs')),
      baseline: `its own building time: ${showMs(BUILD_MS)}`,
      goal: 'none',
    },
    {
      name,
      what: 'the same: SIGKILL → expiry declared',
      figure: show(each(agent, 'killToExpiryMs')),
      baseline: ttl,
      goal: 'none: what was promised to the agent that died',
    },
    {
      name,
      what: `operator killed too and started at once, ${both.length} contracts: SIGKILL → expiry declared`,
      figure: `${show(each(both, 'killToExpiryMs'))}: ${showMs(added)} later`,
      baseline: `${ttl}; leader Lease 15 s, then a whole TTL, since the new one has seen no renewal`,
      goal: 'none',
    },
    {
      name,
      what: 'the same: expiry declared → another one has claimed',
      figure: show(each(both, 'expiryToClaimMs')),
      baseline: 'none: an absolute goal',
      goal: `≤ ${showMs(GOAL_MS)}`,
      reached: Math.max(...each(both, 'expiryToClaimMs')) <= GOAL_MS,
    },
  ];
}
