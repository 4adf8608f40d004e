/** The controller of contracts: what makes one look at a contract again, and what a look does. */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { lookupKeys } from '../../crds/contract/eligibility.ts';
import type { Offering } from '../../crds/offering.ts';
import { worldOf } from '../../crds/restore/world.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import { keyOf, type ObjectKey } from '../../kube/object.ts';
import { createSilenceWatch } from '../../lib/silence-watch.ts';
import { again } from '../again.ts';
import type { OperatorDeps } from '../deps.ts';
import { on } from '../source.ts';
import { createWaker } from '../supply/waker.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import { createLedger } from './ledger.ts';
import { createMoveTurns } from './move-turns.ts';
import type { TellStuck } from './stuck.ts';

const WORKERS = 16;
/** While an older etcd is being resolved; its end wakes at once. */
const RESTING_MS = 30_000;

export function contractController(deps: OperatorDeps, tellStuck: TellStuck): Controller {
  const { clients, informers, supply, clock, observe, log, store, failedGraceMs, retentionMs, world } = deps;
  const { contracts, offerings, recipes, providers, agents } = informers;
  const locks = createSilenceWatch();
  const turns = createMoveTurns({ contracts: contracts.cache, clock });
  const ledger = createLedger(store);
  const controller = createController({
    name: 'contract',
    clock,
    observe,
    log,
    workers: WORKERS,
    sources: [
      on(contracts, (object) => [keyOf(object)]),
      // Those that wait for exactly this: an offering, its recipe, a provider. For pools and agents: wakeWaiting.
      on(offerings, (object, old) =>
        isDeepStrictEqual(termsOf(old), termsOf(object))
          ? []
          : requestedIn(contracts, object.metadata.namespace),
      ),
      // Whose next hours cost what the offering asks.
      on(offerings, (object, old) =>
        old && isDeepStrictEqual(priceFactsOf(old), priceFactsOf(object))
          ? []
          : contracts.cache
              .getByIndex('priced', `${object.metadata.namespace ?? ''}/${object.metadata.name}`)
              .map(keyOf),
      ),
      on(recipes, (object) => requestedIn(contracts, object.metadata.namespace)),
      // What is on an agent that is drained, revoked or deleted.
      on(agents, (object, old) =>
        old && isDeepStrictEqual(hostFactsOf(old), hostFactsOf(object))
          ? []
          : contracts.cache.getByIndex('holder', object.metadata.uid ?? '').map(keyOf),
      ),
      on(providers, (object) => requestedIn(contracts, object.spec.namespace)),
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
      const facts = gather({ informers, supply, clock, locks, turns, failedGraceMs, retentionMs }, contract);
      const decision = decide({ ...facts, isWorldCertain: world.isCertain() });
      await apply({ clients, contracts, ledger, tellStuck }, { contract, decision, signal });
      return decision.requeueAfterMs === undefined ? {} : { requeueAfterMs: decision.requeueAfterMs };
    }),
  });
  return {
    ...controller,
    run: (signal) => {
      wakeWaiting(deps, { controller, signal });
      return controller.run(signal);
    },
  };
}

/** What of an offering decides about a request: figures alone wake nobody. */
const termsOf = (offering: Offering | undefined) => offering && [offering.spec, offering.status?.reserved];

const priceFactsOf = ({ spec, metadata }: Offering) => [spec.price, metadata.deletionTimestamp];

const hostFactsOf = ({ spec }: Agent) => [spec.draining, spec.drainBy, spec.revoked];

const requestedIn = (contracts: Informer<Contract>, namespace: string | undefined): ObjectKey[] =>
  contracts.cache.getByIndex('requested', namespace ?? '').map(keyOf);

/** Until the signal is aborted: what waits is looked at again when placing might say something else of it. */
function wakeWaiting({ informers, supply, clock }: OperatorDeps, { controller, signal }: Waking): void {
  const { contracts, pools } = informers;
  const waker = createWaker({
    clock,
    waitingUnder: (key) => contracts.cache.getByIndex('waiting', key).map(keyOf),
    wake: (key) => controller.enqueue(key),
  });
  const stop = supply.onTurn((pool, turn) => {
    const neighbours = pools.cache.getByIndex('namespace', pool.metadata.namespace ?? '');
    for (const key of lookupKeys(pool, neighbours)) waker.mark(key, turn === 'Better' ? 'Now' : 'Soon');
  });
  signal.addEventListener(
    'abort',
    () => {
      stop();
      waker.stop();
    },
    { once: true },
  );
}

type Waking = Readonly<{ controller: Controller; signal: AbortSignal }>;
