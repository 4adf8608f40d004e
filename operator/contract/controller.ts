/** The controller of contracts: what makes one look at a contract again, and what a look does. */
import type { Contract } from '../../crds/contract/contract.ts';
import { supplyKeys } from '../../crds/contract/eligibility.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import { keyOf, type ObjectKey } from '../../kube/object.ts';
import type { OperatorDeps } from '../deps.ts';
import { createSilenceWatch } from '../silence-watch.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import { createLedger } from './ledger.ts';

const WORKERS = 16;

export function contractController(deps: OperatorDeps): Controller {
  const { clients, informers, clock, observe, log, store } = deps;
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
      { informer: contracts, mapToKeys: ({ object }) => [keyOf(object)] },
      // Those that wait for exactly this: an offering, a provider, a pool, an agent.
      { informer: offerings, mapToKeys: ({ object }) => requestedIn(contracts, object.metadata.namespace) },
      { informer: providers, mapToKeys: ({ object }) => requestedIn(contracts, object.spec.namespace) },
      { informer: pools, mapToKeys: ({ object }) => waitingFor(contracts, supplyKeys(object)) },
      {
        informer: agents,
        mapToKeys: ({ object, old }) => {
          const pool = pools.cache.get(`${object.metadata.namespace ?? ''}/${object.spec.poolName}`);
          const same =
            old &&
            JSON.stringify([old.spec, onlineOf(old)]) === JSON.stringify([object.spec, onlineOf(object)]);
          return pool && !same ? waitingFor(contracts, supplyKeys(pool)) : [];
        },
      },
    ],
    reconcile: async ({ key, signal }) => {
      const contract = contracts.cache.get(key);
      if (!contract) return {};
      const decision = decide(gather({ informers, clock, locks }, contract));
      await apply({ clients, contracts, ledger }, { contract, decision, signal });
      return decision.requeueAfterMs === undefined ? {} : { requeueAfterMs: decision.requeueAfterMs };
    },
  });
}

const onlineOf = ({
  status,
}: {
  status?: { conditions?: readonly { type: string; status: string }[] | undefined };
}) => status?.conditions?.map(({ type, status: value }) => `${type}=${value}`);

const requestedIn = (contracts: Informer<Contract>, namespace: string | undefined): ObjectKey[] =>
  contracts.cache.getByIndex('requested', namespace ?? '').map(keyOf);

const waitingFor = (contracts: Informer<Contract>, keys: readonly string[]): ObjectKey[] =>
  keys.flatMap((key) => contracts.cache.getByIndex('waiting', key)).map(keyOf);
