/** What one contract asks for and what its past says, worked out once before any agent is looked at. */
import type { Contract } from '../contract/contract.ts';
import { TAKEOVER_HEAD_START_MS } from '../contract/numbers.ts';
import type { TermsSnapshot } from '../contract/spec.ts';
import type { Attempt, ContractStatus } from '../contract/status.ts';
import { type Amounts, amountsOf } from './amounts.ts';
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
  /** Attempts that failed since the last success, for whatever reason, by UID of the agent. */
  failedOn: ReadonlyMap<string, number>;
  /** The agent that built it last: it is to build it again. */
  stickyTo: string | undefined;
  /** After an expiry the agent that held goes first. docs/contract.md, 8. */
  takeover: Readonly<{ agentUID: string; untilMs: number }> | undefined;
  apart: Readonly<{ group: string; isRequired: boolean; agents: ReadonlySet<string> }> | undefined;
  wantedSinceMs: number;
  /** Nobody may claim it before. */
  notBeforeMs: number | undefined;
  nowMs: number;
}>;

export function demandOf(contract: Contract, { terms, siblings = [], now }: DemandFacts): Demand {
  const { metadata, status } = contract;
  const nowMs = now.getTime();
  const notBeforeMs = status?.nextAttemptAt ? Date.parse(status.nextAttemptAt) : 0;
  return {
    namespace: metadata.namespace ?? '',
    hash: hashOf(metadata.uid ?? ''),
    wanted: amountsOf(terms.resources),
    poolName: terms.poolName,
    regions: [...new Set([terms.region, ...(terms.regions ?? [])])],
    types: [...new Set([terms.provisionerType, ...(terms.provisionerTypes ?? [])])],
    requirements: terms.requirements,
    heldBy: new Set(status?.holders?.map(({ agentUID }) => agentUID)),
    ...pastOf(status?.attempts ?? []),
    takeover: takeoverOf(status, nowMs),
    apart: apartFrom(contract, siblings),
    wantedSinceMs: wantedSinceMs(contract),
    notBeforeMs: notBeforeMs > nowMs ? notBeforeMs : undefined,
    nowMs,
  };
}

/** A lack of room counts as well: who had none a moment ago is asked last. What was merely given back does not. */
function pastOf(attempts: readonly Attempt[]): Pick<Demand, 'failedOn' | 'stickyTo'> {
  const built = attempts.findLastIndex(({ outcome }) => outcome === 'Succeeded');
  const failedOn = new Map<string, number>();
  for (const { agentUID, outcome, class: kind } of attempts.slice(built + 1))
    if (outcome !== 'Released' || kind === 'capacity')
      failedOn.set(agentUID, (failedOn.get(agentUID) ?? 0) + 1);
  return { failedOn, stickyTo: attempts[built]?.agentUID };
}

function takeoverOf(status: ContractStatus | undefined, nowMs: number): Demand['takeover'] {
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
