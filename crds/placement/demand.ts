/** What one contract asks for and what its past says, worked out once before any agent is looked at. */
import type { Contract } from '../contract/contract.ts';
import { attemptsOfRound, finalWordOf, gaveBack } from '../contract/failed-before.ts';
import { FAILED_BEFORE_HEAD_START_MS, GIVEN_BACK_MAX, TAKEOVER_HEAD_START_MS } from '../contract/numbers.ts';
import type { TermsSnapshot } from '../contract/spec.ts';
import type { Attempt, ContractStatus } from '../contract/status.ts';
import { type Amounts, amountsOf } from './amounts.ts';
import { triedUntilMs } from './deadline.ts';
import { hashOf } from './rendezvous.ts';
import { wantedSinceMs } from './waiting.ts';

/** Of an offering (`snapshotTerms`) or of a contract. */
export type Terms = Pick<
  TermsSnapshot,
  'poolName' | 'region' | 'regions' | 'provisionerType' | 'provisionerTypes' | 'requirements' | 'resources'
>;

export type DemandFacts = Readonly<{
  terms: Terms;
  /** Contracts of the same tenant in the same namespace; only needed when the contract has an antiAffinity. */
  siblings?: Iterable<Contract>;
  now: Date;
}>;

export type Demand = Readonly<{
  namespace: string;
  hash: number;
  wanted: Amounts;
  poolName: string | undefined;
  /** The best first. */
  regions: readonly TermsSnapshot['region'][];
  types: readonly TermsSnapshot['provisionerType'][];
  requirements: TermsSnapshot['requirements'];
  /** Agents whose load counts this contract already. */
  heldBy: ReadonlySet<string>;
  /** Attempts of this round that failed, for whatever reason, by UID of the agent. */
  failedOn: ReadonlyMap<string, number>;
  /** Agents that are not asked again in this round. `crds/contract/failed-before.ts`. */
  finalWords: ReadonlyMap<string, Attempt>;
  /** Who has failed lets those go first that have not, until then. */
  othersFirstUntilMs: number | undefined;
  /** The agent that built it last: it is to build it again. */
  stickyTo: string | undefined;
  /** After an expiry the agent that held goes first. docs/contract.md, 8. */
  takeover: Readonly<{ agentUID: string; untilMs: number }> | undefined;
  apart: Readonly<{ group: string; isRequired: boolean; agents: ReadonlySet<string> }> | undefined;
  wantedSinceMs: number;
  /** Nobody may claim it before. */
  notBeforeMs: number | undefined;
  /** It ends when nobody has built it by then. */
  untilMs: number;
  /** The last attempt of this round ended for want of room. */
  hadNoRoom: boolean;
  nowMs: number;
}>;

export function demandOf(contract: Contract, { terms, siblings = [], now }: DemandFacts): Demand {
  const { metadata, status } = contract;
  const nowMs = now.getTime();
  const notBeforeMs = instantMs(status?.nextAttemptAt);
  return {
    namespace: metadata.namespace ?? '',
    hash: hashOf(metadata.uid ?? ''),
    wanted: amountsOf(terms.resources),
    poolName: terms.poolName,
    regions: [...new Set([terms.region, ...(terms.regions ?? [])])],
    types: [...new Set([terms.provisionerType, ...(terms.provisionerTypes ?? [])])],
    requirements: terms.requirements,
    heldBy: new Set(status?.holders?.map(({ agentUID }) => agentUID)),
    ...pastOf(status),
    takeover: takeoverOf(status, nowMs),
    apart: apartFrom(contract, siblings),
    wantedSinceMs: wantedSinceMs(contract) ?? nowMs,
    notBeforeMs: notBeforeMs > nowMs ? notBeforeMs : undefined,
    untilMs: triedUntilMs(contract, nowMs),
    nowMs,
  };
}

/**
 * A lack of room counts as well: who had none a moment ago is asked last. What was merely given back does not, at
 * first: who gives it back again would else be the first to take it each time, and nobody would ever build it.
 */
function pastOf(
  status: ContractStatus | undefined,
): Pick<Demand, 'failedOn' | 'finalWords' | 'othersFirstUntilMs' | 'hadNoRoom' | 'stickyTo'> {
  const round = status ? attemptsOfRound(status) : [];
  const failedOn = new Map<string, number>();
  const finalWords = new Map<string, Attempt>();
  for (const { agentUID, outcome, class: kind } of round) {
    if (outcome === 'Succeeded') continue;
    if (outcome === 'Released' && kind !== 'capacity' && gaveBack(round, agentUID) < GIVEN_BACK_MAX) continue;
    failedOn.set(agentUID, (failedOn.get(agentUID) ?? 0) + 1);
    const final = status && finalWordOf(status, agentUID);
    if (final) finalWords.set(agentUID, final);
  }
  const last = round.at(-1);
  const fromMs = Math.max(instantMs(last?.endedAt), instantMs(status?.nextAttemptAt));
  return {
    failedOn,
    finalWords,
    othersFirstUntilMs: failedOn.size > 0 ? fromMs + FAILED_BEFORE_HEAD_START_MS : undefined,
    hadNoRoom: last?.class === 'capacity',
    stickyTo: status?.attempts?.findLast(({ outcome }) => outcome === 'Succeeded')?.agentUID,
  };
}

const instantMs = (instant: string | undefined): number => (instant ? Date.parse(instant) : 0);

/** Who goes on after an expiry, while its head start lasts. */
export function takeoverOf(status: ContractStatus | undefined, nowMs: number): Demand['takeover'] {
  const last = status?.attempts?.at(-1);
  if (last?.outcome !== 'Expired' || last.epoch !== status?.epoch) return undefined;
  const untilMs = Date.parse(last.endedAt) + TAKEOVER_HEAD_START_MS;
  return nowMs < untilMs ? { agentUID: last.agentUID, untilMs } : undefined;
}

function apartFrom({ metadata, spec }: Contract, siblings: Iterable<Contract>): Demand['apart'] {
  const { antiAffinity } = spec;
  if (!antiAffinity) return undefined;
  const agents = new Set<string>();
  for (const other of siblings) {
    const isCompanion =
      other.metadata.uid !== metadata.uid &&
      other.spec.tenant.publicKey === spec.tenant.publicKey &&
      other.spec.antiAffinity?.group === antiAffinity.group;
    if (!isCompanion) continue;
    for (const { agentUID } of other.status?.holders ?? []) agents.add(agentUID);
  }
  return { group: antiAffinity.group, isRequired: antiAffinity.mode === 'Required', agents };
}
