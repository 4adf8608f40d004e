/**
 * May this agent claim this contract now? What waits and is due is known here, who may build it and who goes first
 * is placement's (`crds/placement/`). The same answer serves the work list and the claim.
 */
import type { AgentPool } from '../agent-pool.ts';
import { type Terms, takeoverOf } from '../placement/demand.ts';
import { mayClaimAt } from '../placement/head-start.ts';
import { HEAD_START_MS } from '../placement/numbers.ts';
import { type Placement, place, whyNot } from '../placement/place.ts';
import { endsAtMs, type PassedOverReason } from '../placement/reasons.ts';
import { sentenceOf } from '../placement/sentences.ts';
import type { Supply } from '../placement/supply.ts';
import { waitingSinceMs } from '../placement/waiting.ts';
import type { Contract, LiveContract } from './contract.ts';
import { ATTEMPTS_MAX, CAPACITY_RELEASES_MAX } from './numbers.ts';
import { endWish } from './wishes.ts';

/** Beside the reasons of placement: it does not wait, its gap is not over, others go first. */
export type RefusalReason = 'NotWaiting' | 'Backoff' | 'AwaitsTurn' | PassedOverReason;

export type Eligibility =
  | Readonly<{ eligible: true }>
  | Readonly<{
      eligible: false;
      reason: RefusalReason;
      message: string;
      /** When the answer may change although nothing happens; absent: only an event changes it. */
      until?: string;
    }>;

type Facts = Readonly<{
  agentUID: string;
  supply: Supply;
  /** Contracts of the same tenant; only needed when the contract has an antiAffinity. */
  siblings?: Iterable<Contract> | undefined;
  /** How long the first choice may claim alone. */
  headStartMs?: number | undefined;
  /** `place` with the same facts, from whoever remembers it. Left out: it is asked here. */
  placed?: (() => Placement) | undefined;
  now: Date;
}>;

const ELIGIBLE: Eligibility = { eligible: true };

export function eligibility(contract: LiveContract, facts: Facts): Eligibility {
  const { status, spec } = contract;
  const { agentUID, supply, siblings, now } = facts;
  if (status.phase !== 'Accepted' || endWish(contract))
    return refuse('NotWaiting', 'it does not wait for an agent');
  const terms = spec.termsSnapshot;
  if (!terms) return refuse('NotWaiting', 'its terms are not written yet');
  if (isUsedUp(contract))
    return refuse('NotWaiting', 'it was tried as often as it may be, and is about to end');
  if (takeoverOf(status, now.getTime())?.agentUID === agentUID) return goesOn(agentUID, facts);
  if (status.nextAttemptAt && Date.parse(status.nextAttemptAt) > now.getTime())
    return refuse('Backoff', `the next attempt is not before ${status.nextAttemptAt}`, status.nextAttemptAt);
  const demand = { terms, supply, siblings: siblings ?? [], now };
  const because = whyNot(contract, { ...demand, agentUID });
  if (because) {
    const endsMs = endsAtMs(because);
    const message = sentenceOf(because, { nowMs: now.getTime() });
    return refuse(because.reason, message, endsMs === undefined ? undefined : instant(endsMs));
  }
  return inTurn(contract, { ...facts, placed: facts.placed ?? (() => place(contract, demand)) });
}

/** The operator ends it as soon as it looks; until then nobody may take one more try. */
export const isUsedUp = ({ status: { failures = 0, capacityReleases = 0 } }: LiveContract): boolean =>
  failures >= ATTEMPTS_MAX || capacityReleases >= CAPACITY_RELEASES_MAX;

/** After a mere expiry the one that held goes on with what it began: that is no new work, and its room is taken. */
function goesOn(agentUID: string, { supply, now }: Facts): Eligibility {
  for (const pools of supply.pools.values())
    for (const { agents } of pools) {
      const unfit = agents.find(({ uid }) => uid === agentUID)?.fitness.unfit;
      if (unfit) return refuse(unfit.reason, sentenceOf(unfit, { nowMs: now.getTime() }));
    }
  return ELIGIBLE;
}

/** The first choice may claim at once, each other one when its turn has come. */
function inTurn(
  contract: LiveContract,
  { agentUID, headStartMs = HEAD_START_MS, placed, now }: Facts & Required<Pick<Facts, 'placed'>>,
): Eligibility {
  const placement = placed?.();
  // Whoever wrote since when it waits has another clock, which may be ahead: the first choice does not wait for it.
  const sinceMs = Math.min(waitingSinceMs(contract), now.getTime());
  const turn = { agentUID, waitingSinceMs: sinceMs, headStartMs };
  const fromMs = (placement && mayClaimAt(placement, turn)) ?? now.getTime() + headStartMs;
  if (fromMs <= now.getTime()) return ELIGIBLE;
  const until = instant(fromMs);
  return refuse('AwaitsTurn', `others go first until ${until}`, until);
}

/** What of the terms leads to a pool. */
export type RoutingTerms = Pick<
  Terms,
  'poolName' | 'region' | 'regions' | 'provisionerType' | 'provisionerTypes'
>;

/** Whether a pool could build what the terms say: the explicit pool, else one of the regions and of the types. */
export function poolServes(terms: RoutingTerms, { metadata, spec }: AgentPool): boolean {
  if (!typesOf(terms).includes(spec.provisionerType)) return false;
  return terms.poolName ? metadata.name === terms.poolName : regionsOf(terms).includes(spec.location);
}

/** All that the terms allow, the best first. */
export const regionsOf = ({ region, regions = [] }: Pick<Terms, 'region' | 'regions'>) => [
  ...new Set([region, ...regions]),
];
export const typesOf = ({
  provisionerType,
  provisionerTypes = [],
}: Pick<Terms, 'provisionerType' | 'provisionerTypes'>) => [
  ...new Set([provisionerType, ...provisionerTypes]),
];

/**
 * The keys under which a waiting contract is looked up, and those that an agent of `pool` looks under: a few
 * lookups answer a poll, however many contracts there are.
 */
export function demandKeys({ metadata, spec }: Contract): string[] {
  const terms = spec.termsSnapshot;
  if (!terms || !metadata.namespace) return [];
  if (terms.poolName) return [`${metadata.namespace}/pool/${terms.poolName}`];
  const types = typesOf(terms);
  return regionsOf(terms).flatMap((region) =>
    types.map((type) => `${metadata.namespace}/region/${region}/${type}`),
  );
}

/** Of what the pool serves by itself. */
export const supplyKeys = ({ metadata, spec }: AgentPool): string[] => [
  `${metadata.namespace ?? ''}/pool/${metadata.name}`,
  `${metadata.namespace ?? ''}/region/${spec.location}/${spec.provisionerType}`,
];

/** Of that, and of what waits for pools that name it as a fallback. `pools` are all of the namespace. */
export function lookupKeys(pool: AgentPool, pools: Iterable<AgentPool>): string[] {
  const keys = new Set(supplyKeys(pool));
  for (const other of pools)
    if (other.spec.fallbackPools?.some(({ name }) => name === pool.metadata.name))
      for (const key of supplyKeys(other)) keys.add(key);
  return [...keys];
}

const instant = (ms: number): string => new Date(ms).toISOString();

const refuse = (reason: RefusalReason, message: string, until?: string): Eligibility => ({
  eligible: false,
  reason,
  message,
  ...(until === undefined ? {} : { until }),
});
