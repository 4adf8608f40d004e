/**
 * What of a provider may not go while others need it: who uses a pool, an offering, a provider, in words. Operator
 * (which keeps the object with a finalizer) and facade (409) ask the same question and say the same. Pure.
 */
import type { Agent } from './agent.ts';
import type { AgentPool } from './agent-pool.ts';
import { type Condition, withCondition } from './condition.ts';
import type { Contract } from './contract/contract.ts';
import { poolServes } from './contract/eligibility.ts';
import { ENDED_PHASES, hasEnded } from './contract/phase.ts';
import type { Offering } from './offering.ts';

/** Names of those that use it, by what they are; in the order in which they are told. */
export type Uses = Readonly<{
  pools?: readonly string[];
  agents?: readonly string[];
  offerings?: readonly string[];
  contracts?: readonly string[];
}>;

type Named = Readonly<{ metadata: Readonly<{ name: string; deletionTimestamp?: string | undefined }> }>;

type PoolUsers = Readonly<{
  agents: readonly Agent[];
  offerings: readonly Offering[];
  contracts: readonly Contract[];
  /** All of its namespace. */
  pools: readonly AgentPool[];
}>;

/** Its agents, the offerings that name it, what is held in it, and what nobody else could build. */
export function usesOfPool(pool: AgentPool, { agents, offerings, contracts, pools }: PoolUsers): Uses {
  const { name } = pool.metadata;
  const others = pools.filter(({ metadata }) => metadata.name !== name && !metadata.deletionTimestamp);
  const waitsForIt = ({ spec: { termsSnapshot: terms }, status }: Contract): boolean =>
    status?.phase === 'Accepted' &&
    terms !== undefined &&
    poolServes(terms, pool) &&
    !others.some((other) => poolServes(terms, other));
  return {
    agents: namesOf(agents.filter(({ spec }) => spec.poolName === name && !spec.revoked)),
    offerings: namesOf(offerings.filter(({ spec }) => spec.poolName === name)),
    contracts: namesOf(
      contracts.filter(
        (contract) => isPromised(contract) && (contract.status?.pool === name || waitsForIt(contract)),
      ),
    ),
  };
}

/** Contracts of it that were accepted and have not ended. A mere request has been promised nothing. */
export const usesOfOffering = ({ metadata }: Offering, contracts: readonly Contract[]): Uses => ({
  contracts: namesOf(
    contracts.filter((contract) => isPromised(contract) && contract.spec.offering.name === metadata.name),
  ),
});

/** Everything in its namespace that somebody signs for with its key. */
export const usesOfProvider = ({ agents, offerings, contracts, pools }: PoolUsers): Uses => ({
  pools: namesOf(pools),
  agents: namesOf(agents.filter(({ spec }) => !spec.revoked)),
  offerings: namesOf(offerings),
  contracts: namesOf(contracts.filter(isPromised)),
});

/** Field selector of contracts that may use something. */
export const NOT_ENDED = ENDED_PHASES.map((phase) => `status.phase!=${phase}`).join(',');

const isPromised = ({ status }: Contract): boolean =>
  status !== undefined && status.phase !== 'Requested' && !hasEnded(status.phase);

const namesOf = (objects: readonly Named[]): string[] => objects.map(({ metadata }) => metadata.name).sort();

export const isUsed = (uses: Uses): boolean => Object.values(uses).some((names) => names.length > 0);

const NAMED_MAX = 5;
const SINGULAR = { pools: 'pool', agents: 'agent', offerings: 'offering', contracts: 'contract' } as const;
const KINDS = ['pools', 'agents', 'offerings', 'contracts'] as const satisfies readonly (keyof Uses)[];

/** As in `2 agents (node-1, node-2) and 1 offering (vps-small)`. */
export function tellUses(uses: Uses): string {
  const parts = KINDS.flatMap((kind) => {
    const names = uses[kind] ?? [];
    if (names.length === 0) return [];
    const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
    const what = names.length === 1 ? SINGULAR[kind] : kind;
    return [`${names.length} ${what} (${names.slice(0, NAMED_MAX).join(', ')}${more})`];
  });
  const last = parts.pop() ?? 'nobody';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

export type UsedKind = 'AgentPool' | 'Offering' | 'Provider';

const NEXT: Readonly<Record<UsedKind, Readonly<Partial<Record<keyof Uses, string>>>>> = {
  AgentPool: {
    agents: 'revoke its agents',
    offerings: 'point its offerings elsewhere',
    contracts: 'cancel its contracts or let them end',
  },
  Offering: { contracts: 'cancel its contracts or let them end' },
  Provider: {
    pools: 'delete its pools',
    agents: 'revoke its agents',
    offerings: 'delete its offerings',
    contracts: 'cancel its contracts or let them end',
  },
};

/** What makes it free, as one sentence. */
export function whatFrees(kind: UsedKind, uses: Uses): string {
  const steps = KINDS.flatMap((user) => ((uses[user] ?? []).length > 0 ? (NEXT[kind][user] ?? []) : []));
  const last = steps.pop() ?? 'nothing is left to do';
  const sentence = steps.length === 0 ? last : `${steps.join(', ')} and ${last}`;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
}

/** Condition `Terminating` of what was deleted and is still used. */
export function withTerminating(
  conditions: readonly Condition[] | undefined,
  { kind, uses, now }: Readonly<{ kind: UsedKind; uses: Uses; now: Date }>,
): Condition[] {
  const next = {
    type: 'Terminating',
    status: 'True',
    reason: 'InUse',
    message: `It was deleted and is used by ${tellUses(uses)}. ${whatFrees(kind, uses)}.`,
  } as const;
  return withCondition(conditions, { next, now });
}
