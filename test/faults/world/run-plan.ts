/** Plays one plan on a stage until its contract has come to rest, and brings home the evidence. */
import { contractIdOf, uidOfContractId } from '../../../crds/contract/contract.ts';
import { type ContractPhase, hasEnded } from '../../../crds/contract/phase.ts';
import { WORLD, worldOf } from '../../../crds/restore/world.ts';
import { systemClock } from '../../../lib/clock.ts';
import { eventually } from '../../world/eventually.ts';
import type { Evidence } from '../oracles/evidence.ts';
import { type Gist, gistOf } from '../oracles/gist.ts';
import { judge } from '../oracles/judge.ts';
import { changesBetween } from '../oracles/quiet.ts';
import type { TestAgent } from './agents.ts';
import { perform } from './deeds.ts';
import { type Armed, arm } from './matching.ts';
import type { Plan } from './plan.ts';
import type { Stage } from './stage.ts';
import { addSupply } from './supply.ts';
import { createTenant } from './tenant.ts';

export type Outcome = Readonly<{
  plan: Plan;
  gist: Gist;
  evidence: Evidence;
  /** What does not hold; empty when all is well. */
  problems: readonly string[];
  struck: readonly string[];
  realMs: number;
}>;

const SETTLE_WITHIN_MS = 400_000;
const QUIET_MS = 10_000;
const RESTART_MS = 20_000;

/** Names of its objects begin with `prefix`; `supplied` is waited for before agents and tenant begin. */
export async function runPlan(
  stage: Stage,
  { prefix, plan, supplied }: Readonly<{ prefix: string; plan: Plan; supplied?: () => Promise<void> }>,
): Promise<Outcome> {
  const { clock, history } = stage;
  const startedMs = systemClock.monotonicMs();
  const tenant = createTenant(stage);
  const agents: TestAgent[] = [];
  const killed = new Set<TestAgent>();
  const killAgent = (agent: TestAgent | undefined): void => {
    if (!agent?.isRunning()) return;
    agent.kill();
    killed.add(agent);
    clock.after(plan.restartMs ?? RESTART_MS, () => {
      if (killed.delete(agent)) agent.start();
    });
  };
  const keys = new Set([tenant.key.publicKey]);
  const armed = arm(
    {
      prefix,
      keys,
      killAgent: (by) => killAgent(agents.find(({ key, uid }) => key.publicKey === by.key || uid === by.uid)),
    },
    plan.faults,
  );
  const supply = await addSupply(stage, { prefix, agents: plan.agents ?? 2, treat: armed.treat });
  agents.push(...supply.agents);
  for (const { key } of agents) keys.add(key.publicKey);
  await supplied?.();
  const removeRules = stage.addRules(armed.rules);
  const deeds: Promise<readonly string[]>[] = [];
  const done = new Set<object>();
  const stopFollowing = history.follow(({ contract }) => {
    if (!contract.metadata.name.startsWith(`${prefix}-`)) return;
    for (const fault of plan.faults) {
      if (fault.at !== 'Moment' || fault.phase !== contract.status?.phase || done.has(fault)) continue;
      done.add(fault);
      const holder = agents.find(({ uid }) => uid === contract.status?.lock?.agentUID);
      const cancel = () => tenant.cancel(contractIdOf(contract.metadata.uid ?? ''));
      const doing = perform(stage, fault.deed, { cancel, killHolder: () => killAgent(holder) });
      deeds.push(
        doing.then(
          () => [],
          (error: unknown) => [`could not do ${fault.deed.type}: ${String(error)}`],
        ),
      );
    }
  });
  try {
    for (const agent of agents) agent.start();
    const contractId = await tenant.rent(supply.offeringId);
    const about = { stage, plan, contractId, strangers: supply.strangers };
    if (plan.job === 'Cancel') {
      await untilPhase(about, ['Active']);
      if (phaseOf(about) === 'Active') await tenant.cancel(contractId);
    }
    const unsettled = await settle(about, armed);
    const undone = (await Promise.all(deeds)).flat();
    armed.disarm();
    const before = await gather(about);
    await clock.sleep(QUIET_MS);
    const evidence = await gather(about);
    const restless = unsettled.length > 0 ? [] : changesBetween(before, evidence);
    const unfired = plan.isRandom
      ? []
      : armed.unfired().map((fault) => `never struck: ${JSON.stringify(fault)}`);
    const missed = plan.faults
      .filter((fault) => fault.at === 'Moment' && !done.has(fault) && !plan.isRandom)
      .map((fault) => `never came: ${JSON.stringify(fault)}`);
    return {
      plan,
      evidence,
      gist: gistOf(evidence),
      problems: [
        ...unsettled,
        ...judge(evidence),
        ...restless,
        ...unfired,
        ...missed,
        ...undone,
        ...(await falseAlarm(stage)),
      ],
      struck: armed.struck(),
      realMs: systemClock.monotonicMs() - startedMs,
    };
  } finally {
    armed.disarm();
    stopFollowing();
    removeRules();
    await Promise.all(deeds);
    killed.clear();
    await Promise.all(agents.map((agent) => agent.close()));
  }
}

/** No plan puts an older etcd back, so nobody may believe that one did. */
async function falseAlarm({ clients, namespace }: Stage): Promise<readonly string[]> {
  const world = worldOf(await eventually(() => clients.configMaps.get({ namespace, name: WORLD })));
  if (world.generation === 0) return [];
  return [`an older etcd was suspected, and there is none: ${JSON.stringify(world)}`];
}

type About = Readonly<{ stage: Stage; plan: Plan; contractId: string; strangers: readonly string[] }>;

const phaseOf = ({ stage, contractId }: About): ContractPhase | undefined =>
  stage.history.of(uidOfContractId(contractId) ?? '').at(-1)?.contract.status?.phase;

/** Answers what is not as it should be when the time is over; empty when the contract has come to rest. */
async function settle(about: About, armed: Armed): Promise<readonly string[]> {
  const { plan, stage } = about;
  const wanted = plan.ends ?? (plan.job === 'Main' ? 'Active' : 'Cancelled');
  const look = async (): Promise<readonly string[]> => {
    const gist = gistOf(await gather(about));
    const isThere = gist.phase === wanted || (plan.isRandom && gist.phase === 'Failed');
    const isStruck = plan.isRandom || armed.unfired().length === 0;
    if (isThere && isAtRest(gist) && isStruck) return [];
    return [`it has not come to rest as ${wanted}: ${JSON.stringify(gist)}`];
  };
  const untilMs = stage.clock.monotonicMs() + (plan.settleWithinMs ?? SETTLE_WITHIN_MS);
  for (;;) {
    const problems = await look();
    if (problems.length === 0 || stage.clock.monotonicMs() > untilMs) return problems;
    await stage.clock.sleep(1000);
  }
}

/** One machine for one that is Active; none for one that has ended, and a copy in the archive if it ended for good. */
const isAtRest = ({ phase, machines, holders, isArchived }: Gist): boolean =>
  phase === 'Active'
    ? machines.join() === 'Running' && holders === 1
    : machines.length === 0 && holders === 0 && (isArchived || phase === 'Failed'); // its provider may retry it

async function untilPhase(about: About, phases: readonly ContractPhase[]): Promise<void> {
  const { clock } = about.stage;
  const untilMs = clock.monotonicMs() + (about.plan.settleWithinMs ?? SETTLE_WITHIN_MS);
  for (;;) {
    const phase = phaseOf(about);
    if (phase && (phases.includes(phase) || hasEnded(phase))) return;
    if (clock.monotonicMs() > untilMs) return; // what is wrong is told when it does not settle
    await clock.sleep(500);
  }
}

async function gather({ stage, contractId, strangers }: About): Promise<Evidence> {
  const { clients, namespace, history, ledger } = stage;
  const versions = [...history.of(uidOfContractId(contractId) ?? '')];
  const owes = versions.some(({ contract }) => contract.status?.phase === 'Terminating');
  return {
    contractId,
    versions,
    records: [...ledger.records()],
    machines: [...ledger.machines()],
    agents: owes ? (await eventually(() => clients.agents.list({ namespace }))).items : [],
    strangers,
  };
}
