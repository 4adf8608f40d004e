/**
 * What the provider plans for an agent, as conditions that stand only while there is something to say: InService
 * (maintenance windows), UpToDate (version of dc-agent) and Drained, with the list of what remains. Pure.
 */
import type { Agent, Remaining } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { upgradeOf } from '../../crds/agent-upgrade.ts';
import type { ConditionInput } from '../../crds/condition.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { drainDueMs, isToBeEmpty, remainingOf } from '../../crds/contract/remaining.ts';
import { changesAtMs, inService, windowsOf } from '../../crds/maintenance.ts';

const LISTED_MAX = 32;
const MESSAGE_MAX = 300;

export type PlanFacts = Readonly<{
  agent: Agent;
  pool: AgentPool | undefined;
  /** All that name it as a holder. */
  held: readonly Contract[];
  now: Date;
}>;

export type Plans = Readonly<{
  conditions: readonly ConditionInput[];
  /** Types of conditions that have nothing to say now. */
  silent: readonly string[];
  remaining: Remaining | undefined;
  /** When something changes by time alone. */
  againInMs: number | undefined;
}>;

export function plansFor(facts: PlanFacts): Plans {
  const remaining = remainingFor(facts);
  const found = [
    inService(windowsFor(facts), facts.now.getTime()),
    versionOf(facts),
    drainOf(facts, remaining),
  ];
  const conditions = found.filter((it) => it !== undefined);
  return {
    conditions,
    silent: ['InService', 'UpToDate', 'Drained'].filter((type) => !conditions.some((it) => it.type === type)),
    remaining,
    againInMs: againIn(facts),
  };
}

const windowsFor = ({ agent, pool }: PlanFacts) =>
  windowsOf([...(agent.spec.maintenance ?? []), ...(pool?.spec.maintenance ?? [])]);

function versionOf({ agent, pool, now }: PlanFacts): ConditionInput | undefined {
  if (!pool || (pool.spec.minVersion === undefined && pool.spec.upgrade === undefined)) return undefined;
  // Before its first heartbeat nothing is known of it.
  if (agent.status?.version === undefined) return undefined;
  const { version } = agent.status;
  const upgrade = upgradeOf({ agent, pool, now });
  const type = 'UpToDate';
  switch (upgrade.state) {
    case 'UpToDate':
      return {
        type,
        status: 'True',
        reason: 'NoUpgrade',
        message: `dc-agent ${version} is what its pool wants`,
      };
    case 'TooOld':
      return {
        type,
        status: 'False',
        reason: 'VersionTooOld',
        message: `dc-agent ${version} is older than ${upgrade.minVersion}, which its pool wants: upgrade it`,
      };
    case 'Planned':
    case 'Announced': {
      const from = upgrade.notBefore === undefined ? '' : ` from ${upgrade.notBefore} on`;
      return {
        type,
        status: 'False',
        reason: upgrade.state === 'Planned' ? 'UpgradePlanned' : 'UpgradeAnnounced',
        message: `dc-agent ${version} is to become ${upgrade.toVersion}${from}`,
      };
    }
  }
}

function remainingFor({ agent, held, now }: PlanFacts): Remaining | undefined {
  if (!isToBeEmpty(agent)) return undefined;
  const all = remainingOf(agent, { contracts: held, now });
  return {
    count: all.length,
    contracts: all.slice(0, LISTED_MAX).map(({ contract, reason, message }) => ({
      name: contract.metadata.name,
      phase: contract.status.phase,
      reason,
      message: message.slice(0, MESSAGE_MAX),
    })),
  };
}

function drainOf(
  { agent: { spec } }: PlanFacts,
  remaining: Remaining | undefined,
): ConditionInput | undefined {
  if (!remaining || spec.revoked) return undefined;
  const type = 'Drained';
  if (remaining.count === 0)
    return {
      type,
      status: 'True',
      reason: 'Empty',
      message: 'Nothing is left on it; it can be switched off',
    };
  const until =
    spec.drainBy === undefined ? 'no deadline was given' : `what can be is moved at ${spec.drainBy}`;
  return {
    type,
    status: 'False',
    reason: 'ContractsRemain',
    message: `Contracts remain, see status.remaining; ${until}`,
  };
}

function againIn(facts: PlanFacts): number | undefined {
  const { agent, pool, now } = facts;
  const nowMs = now.getTime();
  const { notBefore } = pool?.spec.upgrade ?? {};
  const instants = [
    changesAtMs(windowsFor(facts), nowMs),
    drainDueMs(agent, now),
    notBefore === undefined ? undefined : Date.parse(notBefore),
  ].flatMap((ms) => (ms !== undefined && ms > nowMs ? ms - nowMs : []));
  return instants.length === 0 ? undefined : Math.min(...instants);
}
