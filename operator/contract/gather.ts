/** Everything that a decision about one contract needs, from the caches: nothing here grows with their size. */
import { isTrue } from '../../crds/condition.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { snapshotTerms } from '../../crds/contract/terms.ts';
import type { Clock } from '../../lib/clock.ts';
import type { SilenceWatch } from '../../lib/silence-watch.ts';
import type { Informers } from '../clients.ts';
import type { SupplyKeeper } from '../supply/keeper.ts';
import type { Facts } from './facts.ts';
import { hostsOf } from './hosts.ts';
import type { MoveTurns } from './move-turns.ts';
import { outlookFor } from './outlook.ts';

type Deps = Readonly<{
  informers: Informers;
  supply: Pick<SupplyKeeper, 'of'>;
  clock: Clock;
  locks: SilenceWatch;
  turns: MoveTurns;
  failedGraceMs?: number | undefined;
  retentionMs?: number | undefined;
}>;

export function gather(deps: Deps, contract: Contract): Facts {
  const { informers, supply, clock, locks, turns, failedGraceMs, retentionMs } = deps;
  const now = clock.now();
  const { metadata, spec } = contract;
  const namespace = metadata.namespace ?? '';
  const offering = informers.offerings.cache.get(`${namespace}/${spec.offering.name}`);
  const recipe =
    offering?.spec.recipe && informers.recipes.cache.get(`${namespace}/${offering.spec.recipe.name}`);
  const provider = informers.providers.cache
    .getByIndex('namespace', namespace)
    .find(({ status }) => isTrue(status?.conditions, 'Ready'));
  // What has its terms is not stopped by an offering that was changed or cannot be used any more.
  const terms =
    !offering || offering.metadata.deletionTimestamp || spec.termsSnapshot
      ? undefined
      : snapshotTerms(offering, { provider, recipe });
  return {
    contract,
    offering,
    terms,
    provider,
    outlook: outlookFor({ informers, supply }, { contract, terms: spec.termsSnapshot ?? terms, now }),
    hosts: hostsOf({ informers, supply, turns }, { contract, now }),
    lockSilentMs: lockSilentMs({ clock, locks }, contract),
    failedGraceMs,
    retentionMs,
    now,
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
