/** Who could build a contract, asked of placement with what the caches know. Only for phases that wait for somebody. */
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { wantsRetry } from '../../crds/contract/retry.ts';
import type { TermsSnapshot } from '../../crds/contract/spec.ts';
import type { Holder } from '../../crds/contract/status.ts';
import { triedUntilMs } from '../../crds/placement/deadline.ts';
import { type Explanation, explain } from '../../crds/placement/explain.ts';
import {
  type PassedOver,
  type PlaceFacts,
  type Placement,
  place,
  whyNot,
} from '../../crds/placement/place.ts';
import { CAUSE_OF, type Cause, endsAtMs, type PassedOverReason } from '../../crds/placement/reasons.ts';
import type { Supply } from '../../crds/placement/supply.ts';
import type { Informers } from '../clients.ts';
import { companionsOf } from '../indexes.ts';
import type { SupplyKeeper } from '../supply/keeper.ts';

/** Who could build the contract at the moment, and why the others not. */
export type Outlook = Readonly<{
  why: Explanation;
  /** Somebody can, or may be able to later: room, time, and the state that an agent or pool is in may change. */
  hasHope: boolean;
}>;

type Deps = Readonly<{ informers: Pick<Informers, 'contracts'>; supply: Pick<SupplyKeeper, 'of'> }>;
type Asked = Readonly<{ contract: Contract; terms: TermsSnapshot | undefined; now: Date }>;

/** Bounded by the pools and agents of its namespace; `undefined` terms: nobody can be asked yet. */
export function outlookFor(deps: Deps, { contract, terms, now }: Asked): Outlook {
  if (!terms || !waits(contract)) return NOWHERE;
  const supply = deps.supply.of(contract.metadata.namespace ?? '');
  const found = shared.get(supply) ?? new Map<string, readonly Shared[]>();
  const key = hasNoPast(contract) ? keyOf({ terms, now, apart: apartFrom(deps, contract) }) : undefined;
  const asked = { nowMs: now.getTime(), deadlineMs: triedUntilMs(contract, now.getTime()) };
  const known =
    key === undefined ? [] : (found.get(key) ?? []).filter(({ untilMs }) => asked.nowMs < untilMs);
  const fitting = known.find(({ deadlines }) => isWithin(asked.deadlineMs, deadlines));
  if (fitting) return fitting.outlook;
  const placement = placementOf(deps, { contract, terms, now });
  const hasHope = placement.candidates.length > 0 || placement.passedOver.some(mayStillTakeIt);
  const outlook = { why: explain(placement), hasHope };
  const { againAtMs: untilMs = Number.POSITIVE_INFINITY } = placement;
  if (key !== undefined && !hasFallbacks(supply, contract))
    shared.set(supply, found.set(key, [...known, { outlook, untilMs, deadlines: deadlinesOf(placement) }]));
  return outlook;
}

/**
 * Orders that nobody has tried differ only in what they ask for, and whom they are kept apart from: while pools and
 * agents stay as they are (their supply is the same object), and until something changes by time alone, one answer
 * does for all that wait, however many they are; or a few, where some machines come back too late for some of them.
 */
const shared = new WeakMap<Supply, Map<string, readonly Shared[]>>();
/** Until time alone may change it. */
type Shared = Readonly<{ outlook: Outlook; untilMs: number; deadlines: Deadlines }>;

/** Of contracts that end after the one and not after the other the same is in time and the same too late. */
type Deadlines = Readonly<{ afterMs: number; upToMs: number }>;

function deadlinesOf({ passedOver, untilMs }: Placement): Deadlines {
  const instants = passedOver.flatMap(({ because }) => endsAtMs(because) ?? []);
  return {
    afterMs: Math.max(...instants.filter((ms) => ms < untilMs)),
    upToMs: Math.min(...instants.filter((ms) => ms >= untilMs)),
  };
}

const isWithin = (deadlineMs: number, { afterMs, upToMs }: Deadlines): boolean =>
  deadlineMs > afterMs && deadlineMs <= upToMs;

const hasNoPast = ({ status }: Contract): boolean =>
  !status?.holders?.length && !status?.attempts?.length && !status?.nextAttemptAt;

/** Where there are fallbacks, it matters since when a contract waits. */
const hasFallbacks = ({ pools }: Supply, { metadata }: Contract): boolean =>
  pools.get(metadata.namespace ?? '')?.some(({ pool }) => pool.spec.fallbackPools?.length) ?? false;

/** What it is to be kept apart from: the group, and who holds another of it. A contract without holders is none of these. */
function apartFrom(deps: Pick<Deps, 'informers'>, contract: Contract): unknown {
  const { antiAffinity } = contract.spec;
  if (!antiAffinity) return undefined;
  const holders = new Set(siblingsOf(deps, contract).flatMap(({ status }) => uidsOf(status?.holders)));
  return [antiAffinity.group, antiAffinity.mode, ...[...holders].sort()];
}

const uidsOf = (holders: readonly Holder[] = []): string[] => holders.map(({ agentUID }) => agentUID);

type Kind = Readonly<{ terms: TermsSnapshot; apart: unknown; now: Date }>;

/** With the day: an instant of another day is told with its date. */
function keyOf({ terms, apart, now }: Kind): string {
  const { poolName, region, regions, provisionerType, provisionerTypes, requirements, resources } = terms;
  const asked = [
    poolName,
    region,
    regions,
    provisionerType,
    provisionerTypes,
    requirements,
    resources,
    apart,
  ];
  return `${now.toISOString().slice(0, 10)}${JSON.stringify(asked)}`;
}

/** Asked for any phase: who else could build it. */
export function placementOf(
  deps: Deps,
  { contract, terms, now }: Asked & Readonly<{ terms: TermsSnapshot }>,
): Placement {
  return place(contract, factsOf(deps, { contract, terms, now }));
}

/** Could this agent build it right now? Of a waiting contract; one without terms cannot be built. */
export function couldBeBuiltBy(
  deps: Deps,
  { contract, agentUID, now }: Readonly<{ contract: Contract; agentUID: string; now: Date }>,
): boolean {
  const terms = contract.spec.termsSnapshot;
  if (!terms) return false;
  return whyNot(contract, { ...factsOf(deps, { contract, terms, now }), agentUID }) === undefined;
}

function factsOf(
  deps: Deps,
  { contract, terms, now }: Asked & Readonly<{ terms: TermsSnapshot }>,
): PlaceFacts {
  const supply = deps.supply.of(contract.metadata.namespace ?? '');
  return { terms, supply, siblings: siblingsOf(deps, contract), now };
}

/** Those of its group that somebody holds. */
function siblingsOf({ informers }: Pick<Deps, 'informers'>, contract: Contract): readonly Contract[] {
  const companions = companionsOf(contract);
  return companions === undefined ? [] : informers.contracts.cache.getByIndex('companions', companions);
}

/** What failed is asked for again only by its provider. */
const waits = (contract: Contract): boolean =>
  !isLive(contract) || WAITS.has(contract.status.phase) || wantsRetry(contract);
const WAITS: ReadonlySet<ContractPhase> = new Set(['Requested', 'Accepted']);

const mayStillTakeIt = ({ because: { reason } }: PassedOver): boolean =>
  PASSES.has(CAUSE_OF[reason]) && !LASTS.has(reason);
/** Room, time, the tenant's own other contracts; and a host that is away or cordoned comes back. */
const PASSES: ReadonlySet<Cause> = new Set(['Room', 'Time', 'Wish', 'State']);
/** States that nobody is to wait for. */
const LASTS: ReadonlySet<PassedOverReason> = new Set([
  'FailedForGood',
  'AgentRevoked',
  'MissingPermission',
  'AgentTypeMismatch',
]);

const NOBODY: Explanation = {
  schedulable: false,
  reason: 'NoPool',
  counts: [],
  examples: [],
  message: '',
  tenantMessage: '',
  againAtMs: undefined,
};
const NOWHERE: Outlook = { why: NOBODY, hasHope: false };
