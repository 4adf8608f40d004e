/** The controller of contracts: what makes one look at a contract again, and what a look does. */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import { isTrue } from '../../crds/condition.ts';
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { supplyKeys } from '../../crds/contract/eligibility.ts';
import type { Offering } from '../../crds/offering.ts';
import { worldOf } from '../../crds/restore/world.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import { keyOf, type ObjectKey } from '../../kube/object.ts';
import { createSilenceWatch } from '../../lib/silence-watch.ts';
import { again } from '../again.ts';
import type { OperatorDeps } from '../deps.ts';
import { on } from '../source.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import { createLedger } from './ledger.ts';

const WORKERS = 16;
/** While an older etcd is being resolved; its end wakes at once. */
const RESTING_MS = 30_000;

export function contractController(deps: OperatorDeps): Controller {
  const { clients, informers, clock, observe, log, store, failedGraceMs, world } = deps;
  const { contracts, offerings, providers, pools, agents } = informers;
  const locks = createSilenceWatch();
  const ledger = createLedger(store);
  return createController({
    name: 'contract',
    clock,
    observe,
    log,
    workers: WORKERS,
    sources: [
      on(contracts, (object) => [keyOf(object)]),
      // Those that wait for exactly this: an offering, a provider, a pool, an agent.
      on(offerings, (object, old) =>
        isDeepStrictEqual(termsOf(old), termsOf(object))
          ? []
          : requestedIn(contracts, object.metadata.namespace),
      ),
      on(providers, (object) => requestedIn(contracts, object.spec.namespace)),
      on(pools, (object, old) =>
        isDeepStrictEqual(old?.spec, object.spec) ? [] : waitingFor(contracts, supplyKeys(object)),
      ),
      on(agents, (object, old) => {
        const pool = pools.cache.get(`${object.metadata.namespace ?? ''}/${object.spec.poolName}`);
        const same = isDeepStrictEqual(supplyOf(old), supplyOf(object));
        return pool && !same ? waitingFor(contracts, supplyKeys(pool)) : [];
      }),
      // A restore was resolved: everything that rested is looked at.
      on(world.informer, (object) =>
        worldOf(object).phase === 'Normal' ? contracts.cache.list().map(keyOf) : [],
      ),
    ],
    reconcile: again(async ({ key, signal }) => {
      const contract = contracts.cache.get(key);
      if (!contract) return {};
      // A first status takes nothing away, and the resolution waits for it.
      if (world.isResolving() && isLive(contract)) return { requeueAfterMs: RESTING_MS };
      const facts = gather({ informers, clock, locks, failedGraceMs }, contract);
      const decision = decide({ ...facts, isWorldCertain: world.isCertain() });
      await apply({ clients, contracts, ledger }, { contract, decision, signal });
      return decision.requeueAfterMs === undefined ? {} : { requeueAfterMs: decision.requeueAfterMs };
    }),
  });
}

/** What of an offering decides about a request: figures alone wake nobody. */
const termsOf = (offering: Offering | undefined) => offering && [offering.spec, offering.status?.reserved];

/** What of an agent decides whether something can be built. */
const supplyOf = (agent: Agent | undefined) =>
  agent && [agent.spec, isTrue(agent.status?.conditions, 'Online')];

const requestedIn = (contracts: Informer<Contract>, namespace: string | undefined): ObjectKey[] =>
  contracts.cache.getByIndex('requested', namespace ?? '').map(keyOf);

const waitingFor = (contracts: Informer<Contract>, keys: readonly string[]): ObjectKey[] =>
  keys.flatMap((key) => contracts.cache.getByIndex('waiting', key)).map(keyOf);
