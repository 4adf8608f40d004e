/** Everything that a decision about one contract needs, from the caches: nothing here grows with their size. */
import { isTrue } from '../../crds/condition.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { demandKeys } from '../../crds/contract/eligibility.ts';
import { finalWordOf } from '../../crds/contract/failed-before.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { snapshotTerms } from '../../crds/contract/terms.ts';
import type { Clock } from '../../lib/clock.ts';
import type { SilenceWatch } from '../../lib/silence-watch.ts';
import type { Informers } from '../clients.ts';
import type { Facts, Supply } from './facts.ts';

type Deps = Readonly<{
  informers: Informers;
  clock: Clock;
  locks: SilenceWatch;
  failedGraceMs?: number | undefined;
}>;

export function gather({ informers, clock, locks, failedGraceMs }: Deps, contract: Contract): Facts {
  const { metadata, spec } = contract;
  const namespace = metadata.namespace ?? '';
  const offering = informers.offerings.cache.get(`${namespace}/${spec.offering.name}`);
  const recipe =
    offering?.spec.recipe && informers.recipes.cache.get(`${namespace}/${offering.spec.recipe.name}`);
  const terms = offering && snapshotTerms(offering, recipe);
  const agreed = spec.termsSnapshot ? contract : { ...contract, spec: { ...spec, termsSnapshot: terms } };
  const provider = informers.providers.cache
    .getByIndex('namespace', namespace)
    .find(({ status }) => isTrue(status?.conditions, 'Ready'));
  return {
    contract,
    offering,
    terms,
    provider,
    supply: mayWait(contract) ? supplyOf(informers, agreed) : NOBODY,
    lockSilentMs: lockSilentMs({ clock, locks }, contract),
    failedGraceMs,
    now: clock.now(),
  };
}

type Watching = Readonly<{ clock: Pick<Clock, 'monotonicMs'>; locks: SilenceWatch }>;

/** How long this process has seen no renewal of the present lock; a lock seen for the first time was just renewed. */
export function lockSilentMs({ clock, locks }: Watching, { metadata, status }: Contract): number {
  const key = metadata.uid ?? '';
  if (!status?.lock) {
    locks.forget(key);
    return 0;
  }
  const mark = `${status.lock.epoch}/${status.lock.renewedAt}`;
  return locks.silentMs(key, { mark, monotonicMs: clock.monotonicMs() });
}

/** Only of these is it ever asked who could build them: the others are many, and each look walks over agents. */
const mayWait = ({ status }: Contract): boolean => status === undefined || SUPPLIED.has(status.phase);

const SUPPLIED: ReadonlySet<ContractPhase> = new Set(['Requested', 'Accepted', 'Failed']); // Failed: a retry
const NOBODY: Supply = { pools: 0, agentsOnline: 0, agentsEligible: 0 };

/** Bounded by the pools and agents that could build this one contract. */
function supplyOf(informers: Informers, contract: Contract): Supply {
  const pools = demandKeys(contract)
    .flatMap((key) => informers.pools.cache.getByIndex('supply', key))
    .filter((pool) => !pool.spec.paused);
  const agents = pools.flatMap((pool) =>
    informers.agents.cache.getByIndex('pool', `${pool.metadata.namespace ?? ''}/${pool.metadata.name}`),
  );
  const online = agents.filter(({ spec, status }) => !spec.revoked && isTrue(status?.conditions, 'Online'));
  const eligible = online.filter(
    ({ spec, metadata }) =>
      !spec.cordoned &&
      !spec.draining &&
      spec.permissions.includes('provision') &&
      !(contract.status && finalWordOf(contract.status, metadata.uid ?? '')),
  );
  return { pools: pools.length, agentsOnline: online.length, agentsEligible: eligible.length };
}
