/** Who could build a contract, asked of placement with what the caches know. Only for phases that wait for somebody. */
import type { Contract } from '../../crds/contract/contract.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import type { TermsSnapshot } from '../../crds/contract/spec.ts';
import { type Explanation, explain } from '../../crds/placement/explain.ts';
import { type PassedOver, type Placement, place } from '../../crds/placement/place.ts';
import { CAUSE_OF, type Cause } from '../../crds/placement/reasons.ts';
import type { Informers } from '../clients.ts';
import { companionsOf } from '../indexes.ts';
import type { SupplyKeeper } from '../supply/keeper.ts';
import type { Outlook } from './facts.ts';

type Deps = Readonly<{ informers: Pick<Informers, 'contracts'>; supply: Pick<SupplyKeeper, 'of'> }>;
type Asked = Readonly<{ contract: Contract; terms: TermsSnapshot | undefined; now: Date }>;

/** Bounded by the pools and agents of its namespace; `undefined` terms: nobody can be asked yet. */
export function outlookFor(deps: Deps, { contract, terms, now }: Asked): Outlook {
  const { status } = contract;
  if (!terms || (status && !WAITS.has(status.phase))) return NOWHERE;
  const placement = placementOf(deps, { contract, terms, now });
  const hasHope = placement.candidates.length > 0 || placement.passedOver.some(mayStillTakeIt);
  return { why: explain(placement), hasHope };
}

/** Asked for any phase: who else could build it. */
export function placementOf(
  { informers, supply }: Deps,
  { contract, terms, now }: Asked & Readonly<{ terms: TermsSnapshot }>,
): Placement {
  const companions = companionsOf(contract);
  return place(contract, {
    terms,
    supply: supply.of(contract.metadata.namespace ?? ''),
    siblings: companions === undefined ? [] : informers.contracts.cache.getByIndex('companions', companions),
    now,
  });
}

const WAITS: ReadonlySet<ContractPhase> = new Set(['Requested', 'Accepted', 'Failed']); // Failed: a retry

const mayStillTakeIt = ({ because }: PassedOver): boolean => PASSES.has(CAUSE_OF[because.reason]);
/** What goes by without anybody's doing: room, time, the tenant's own other contracts. */
const PASSES: ReadonlySet<Cause> = new Set(['Room', 'Time', 'Wish']);

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
