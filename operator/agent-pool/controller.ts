/** The controller of pools: counts what its agents do. */
import { isDeepStrictEqual } from 'node:util';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { supplyKeys } from '../../crds/contract/eligibility.ts';
import { usesOfPool } from '../../crds/in-use.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import { type KubeObject, keyOf } from '../../kube/object.ts';
import { again } from '../again.ts';
import type { OperatorDeps } from '../deps.ts';
import { keepWhileUsed, usersLive } from '../in-use.ts';
import { on } from '../source.ts';
import { whenLoaded } from '../supply/when-loaded.ts';
import { createWriteTimes } from '../write-times.ts';
import { decidePool } from './decide.ts';
import type { Neighbours } from './fallbacks.ts';

/** While an older etcd is being resolved nothing goes: a contract that uses the pool may not be back yet. */
const RESTING_MS = 30_000;

export function agentPoolController(deps: OperatorDeps): Controller {
  const { clients, informers, supply, book, clock, observe, log, world } = deps;
  const { pools, agents, contracts, offerings } = informers;
  const deletedIn = (namespace: string | undefined) =>
    pools.cache.getByIndex('deleted', namespace ?? '').map(keyOf);
  /** Another pool or offering decides over what becomes of their fallbacks. */
  const namingOthersIn = (namespace = '') =>
    pools.cache
      .getByIndex('namespace', namespace)
      .filter(({ spec }) => spec.fallbackPools?.length)
      .map(keyOf);
  const writes = createWriteTimes(clock);
  const controller = createController({
    name: 'agentpool',
    clock,
    observe,
    log,
    workers: 2,
    sources: [
      on(pools, (object, old) => [
        keyOf(object),
        ...(isOtherThan(object, old) ? namingOthersIn(object.metadata.namespace) : []),
      ]),
      on(agents, (object) => [
        `${object.metadata.namespace ?? ''}/${object.spec.poolName}`,
        ...deletedIn(object.metadata.namespace),
      ]),
      on(offerings, (object, old) => [
        ...deletedIn(object.metadata.namespace),
        ...(isOtherThan(object, old) ? namingOthersIn(object.metadata.namespace) : []),
      ]),
      on(contracts, (object, old) => {
        const namespace = object.metadata.namespace ?? '';
        const held = [object.status?.pool, old?.status?.pool].filter((name) => name !== undefined);
        const waits =
          object.status?.phase === 'Accepted' ? (object.status.scheduling?.reason ?? '') : undefined;
        const explicit = waits === undefined ? undefined : object.spec.termsSnapshot?.poolName;
        return [
          ...[...held, ...(explicit ? [explicit] : [])].map((name) => `${namespace}/${name}`),
          ...(old?.status?.phase === object.status?.phase ? [] : deletedIn(namespace)),
        ];
      }),
    ],
    reconcile: again(async ({ key, signal }) => {
      const pool = pools.cache.get(key);
      if (!pool) {
        writes.forget(key);
        return {};
      }
      if (pool.metadata.deletionTimestamp && world.isResolving()) return { requeueAfterMs: RESTING_MS };
      const keeping = await keepPool(deps, { pool, key, signal });
      if (keeping.next === 'Nothing') return {};
      await book.opened;
      const { status, requeueAfterMs } = decidePool({
        pool,
        uses: keeping.uses,
        neighbours: pool.spec.fallbackPools?.length ? neighboursOf(deps, pool) : undefined,
        work: { agents: supply.pool(key)?.agents ?? [], rateOf: book.rate },
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
  return whenLoaded(controller, { book, keys: () => pools.cache.list().map(keyOf) });
}

/** It came or went, or something else is wanted of it: its status alone is no news. */
const isOtherThan = ({ metadata }: KubeObject, old: KubeObject | undefined): boolean =>
  old?.metadata.generation !== metadata.generation ||
  old?.metadata.deletionTimestamp !== metadata.deletionTimestamp;

function neighboursOf({ informers }: OperatorDeps, { metadata }: AgentPool): Neighbours {
  const { pools, offerings } = informers;
  const namespace = metadata.namespace ?? '';
  return {
    pools: pools.cache.getByIndex('namespace', namespace),
    offerings: offerings.cache.getByIndex('namespace', namespace),
  };
}

type Look = Readonly<{ pool: AgentPool; key: string; signal: AbortSignal }>;

function keepPool({ clients, informers }: OperatorDeps, { pool, key, signal }: Look) {
  const { pools, agents, contracts, offerings } = informers;
  const namespace = pool.metadata.namespace ?? '';
  return keepWhileUsed({
    resource: clients.pools,
    object: pool,
    uses: () =>
      usesOfPool(pool, {
        agents: agents.cache.getByIndex('pool', key),
        offerings: offerings.cache.getByIndex('namespace', namespace),
        contracts: [
          ...contracts.cache.getByIndex('heldIn', key),
          ...supplyKeys(pool).flatMap((demand) => contracts.cache.getByIndex('waiting', demand)),
        ],
        pools: pools.cache.getByIndex('namespace', namespace),
      }),
    usesLive: async () => usesOfPool(pool, await usersLive(clients, { namespace, signal })),
    signal,
  });
}
