/**
 * What is the matter with the agents of a contract: is the one that has its machine being drained, and could another
 * one build it; are some revoked or gone, so that nobody sees to what they have. From the caches.
 */
import type { Agent } from '../../crds/agent.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { TermsSnapshot } from '../../crds/contract/spec.ts';
import type { Holder } from '../../crds/contract/status.ts';
import { overdueInMs } from '../../crds/contract/steps.ts';
import { endWish } from '../../crds/contract/wishes.ts';
import { type Explanation, explain } from '../../crds/placement/explain.ts';
import type { Informers } from '../clients.ts';
import type { SupplyKeeper } from '../supply/keeper.ts';
import type { MoveTurns } from './move-turns.ts';
import { couldBeBuiltBy, placementOf } from './outlook.ts';

export type Hosts = Readonly<{
  /** The agent of its machine, while that is being drained. */
  drained: Agent | undefined;
  /** Whether somebody else could build it; only worked out once the drain has come to its deadline. */
  elsewhere: Explanation | undefined;
  /** Its lock is held for too long, and another agent could take it now. */
  othersCanTry?: boolean | undefined;
  /** It is to be moved, and others go first. */
  awaitsTurn?: 'AnotherMove' | 'OthersThatWait' | undefined;
  /** UIDs of holders that were revoked, or whose Agent is gone. */
  deserted: readonly string[];
}>;

type Deps = Readonly<{
  informers: Pick<Informers, 'agents' | 'contracts'>;
  supply: Pick<SupplyKeeper, 'of'>;
  turns: MoveTurns;
}>;

export function hostsOf(deps: Deps, { contract, now }: Readonly<{ contract: Contract; now: Date }>): Hosts {
  const { status, metadata } = contract;
  const agentOf = ({ agent, agentUID }: Holder): Agent | undefined => {
    const found = deps.informers.agents.cache.get(`${metadata.namespace ?? ''}/${agent}`);
    return found?.metadata.uid === agentUID ? found : undefined;
  };
  const holders = status?.holders ?? [];
  // A cache may hear of an agent that has just joined after it has heard of its first contract.
  const mayBeNew = status?.phase === 'Provisioning' || status?.phase === 'Provisioned';
  const isDeserted = (holder: Holder): boolean => agentOf(holder)?.spec.revoked ?? !mayBeNew;
  const { instance } = status ?? {};
  const own = holders.find(
    ({ agentUID, epoch }) => agentUID === instance?.agentUID && epoch === instance.epoch,
  );
  const agent = own && agentOf(own);
  const drained = agent?.spec.draining ? agent : undefined;
  const { drainBy } = drained?.spec ?? {};
  const isDue = drainBy !== undefined && Date.parse(drainBy) <= now.getTime();
  return {
    drained,
    ...(isDue ? elsewhereOf(deps, { contract, now }) : { elsewhere: undefined }),
    ...(isOverdue(contract, now) ? { othersCanTry: othersCanTry(deps, { contract, now }) } : {}),
    deserted: [...new Set(holders.filter(isDeserted).map(({ agentUID }) => agentUID))],
  };
}

const isOverdue = ({ status }: Contract, now: Date): boolean =>
  status?.lock !== undefined && overdueInMs(status.lock, now) === 0;

function othersCanTry(deps: Deps, { contract, now }: Readonly<{ contract: Contract; now: Date }>): boolean {
  const terms = contract.spec.termsSnapshot;
  if (!terms || isByHand(terms)) return false;
  const { candidates } = placementOf(deps, { contract, terms, now });
  return candidates.some(({ agentUID }) => agentUID !== contract.status?.lock?.agentUID);
}

/** A person has all the time of the contract: half of it is not too long for them. */
const isByHand = ({ provisionerType, provisionerTypes = [] }: TermsSnapshot): boolean =>
  [provisionerType, ...provisionerTypes].includes('manual');

/** The drained agent is none of them: it gets no new work. */
function elsewhereOf(
  deps: Deps,
  { contract, now }: Readonly<{ contract: Contract; now: Date }>,
): Pick<Hosts, 'elsewhere' | 'awaitsTurn'> {
  const terms = contract.spec.termsSnapshot;
  const isMovable = terms?.allowRecreation && contract.status?.phase === 'Active' && !endWish(contract);
  if (!isMovable) return { elsewhere: undefined };
  if (deps.turns.isTaken(contract)) return { elsewhere: undefined, awaitsTurn: 'AnotherMove' };
  const placement = placementOf(deps, { contract, terms, now });
  const elsewhere = explain(placement);
  const [first] = placement.candidates;
  if (!first) return { elsewhere };
  const couldUse = (waiting: Contract): boolean =>
    couldBeBuiltBy(deps, { contract: waiting, agentUID: first.agentUID, now });
  if (deps.turns.goesLast(contract, couldUse)) return { elsewhere, awaitsTurn: 'OthersThatWait' };
  deps.turns.take(contract);
  return { elsewhere };
}
