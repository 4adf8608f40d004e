/** The controller of pools: counts what its agents do. */
import { isDeepStrictEqual } from 'node:util';
import { supplyKeys } from '../../crds/contract/eligibility.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import { keyOf } from '../../kube/object.ts';
import { again } from '../again.ts';
import type { OperatorDeps } from '../deps.ts';
import { on } from '../source.ts';
import { createWriteTimes } from '../write-times.ts';
import { decidePool } from './decide.ts';

export function agentPoolController({ clients, informers, clock, observe, log }: OperatorDeps): Controller {
  const { pools, agents, contracts } = informers;
  const writes = createWriteTimes(clock);
  return createController({
    name: 'agentpool',
    clock,
    observe,
    log,
    workers: 2,
    sources: [
      on(pools, (object) => [keyOf(object)]),
      on(agents, (object) => [`${object.metadata.namespace ?? ''}/${object.spec.poolName}`]),
      on(contracts, (object, old) => {
        const namespace = object.metadata.namespace ?? '';
        const held = [object.status?.pool, old?.status?.pool].filter((name) => name !== undefined);
        const waits =
          object.status?.phase === 'Accepted' ? (object.status.scheduling?.reason ?? '') : undefined;
        const explicit = waits === undefined ? undefined : object.spec.termsSnapshot?.poolName;
        return [...held, ...(explicit ? [explicit] : [])].map((name) => `${namespace}/${name}`);
      }),
    ],
    reconcile: again(async ({ key, signal }) => {
      const pool = pools.cache.get(key);
      if (!pool) {
        writes.forget(key);
        return {};
      }
      const { status, requeueAfterMs } = decidePool({
        pool,
        agents: agents.cache.getByIndex('pool', key),
        activeContracts: contracts.cache.countOf('heldIn', key),
        waitingContracts: supplyKeys(pool).reduce(
          (sum, demand) => sum + contracts.cache.countOf('waiting', demand),
          0,
        ),
        sinceLastWriteMs: writes.sinceMs(key),
        now: clock.now(),
      });
      if (!isDeepStrictEqual(status, pool.status)) {
        const { metadata } = await clients.pools.updateStatus({ ...pool, status }, { signal });
        writes.note(key);
        if (metadata.resourceVersion)
          await pools.waitFor({ resourceVersion: metadata.resourceVersion }, { signal, deadlineMs: 5_000 });
      }
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    }),
  });
}
