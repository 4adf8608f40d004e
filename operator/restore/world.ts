/**
 * The operator's view of the world: heard through a watch of ConfigMap `dcmarket-world`, in every replica. While it
 * is Resolving, or an older etcd is suspected here, no contract is decided about. Source: docs/contract.md, 12.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { createHighest } from '../../crds/restore/highest.ts';
import {
  dataOf,
  FIRST_WORLD,
  GO_ON_WITHOUT,
  isNews,
  LET_GO,
  later,
  raised,
  type Sign,
  WORLD,
  type World,
  worldOf,
} from '../../crds/restore/world.ts';
import { type ConfigMap, swapConfigMap } from '../../kube/config-map.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Observe } from '../../kube/observation.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Store } from '../../store/store.ts';

export type OperatorWorld = Readonly<{
  now: () => World;
  /** Nothing may be decided about a contract. */
  isResolving: () => boolean;
  /** This leader has compared etcd with PostgreSQL: it is no older one, or its restore is known. */
  isCertain: () => boolean;
  becomes: (certainty: 'Certain' | 'Uncertain') => void;
  /** Highest version of a contract since this generation is known; `0` before the first. */
  highest: () => string;
  /** Raises the generation, unless the evidence is of a world before the last restore. */
  raise: (sign: Sign) => Promise<void>;
  /** A live read, and the object for the next write. */
  read: () => Promise<Readonly<{ live: ConfigMap | undefined; world: World }>>;
  ref: Readonly<{ namespace: string; name: string }>;
  informer: Informer<ConfigMap>;
}>;

type Parts = Readonly<{
  configMaps: ResourceClient<ConfigMap>;
  contracts: Pick<Informer<Contract>, 'cache' | 'onChange' | 'onWentBack'>;
  store: Pick<Store, 'restore'>;
  namespace: string;
  clock: Clock;
  log: Logger;
  observe: Observe;
  watchStallMs?: number | undefined;
  signal: AbortSignal;
}>;

const WRITES_MAX = 5;
const AGAIN_MS = 1000;

export function createOperatorWorld(parts: Parts): OperatorWorld {
  const { configMaps, contracts, store, namespace, clock, log, observe, signal } = parts;
  const ref = { namespace, name: WORLD };
  const informer = createInformer<ConfigMap>({
    resource: configMaps,
    namespace,
    fieldSelector: `metadata.name=${WORLD}`,
    clock,
    log,
    observe,
    stallMs: parts.watchStallMs,
  });
  const highest = createHighest();
  let known: World = FIRST_WORLD;
  let suspicions = 0;
  let isCertain = false;
  const see = (world: World): void => {
    const before = known.generation;
    known = later(known, world);
    if (known.generation > before) highest.rose(contracts.cache.resourceVersion());
  };
  const read = async () => {
    const live = await configMaps.get(ref);
    const world = worldOf(live);
    see(world);
    return { live, world };
  };
  const raise = async (sign: Sign): Promise<void> => {
    for (let tries = 0; tries < WRITES_MAX; tries++) {
      const { live, world } = await read();
      if (!isNews(world, sign)) return;
      const stored = await store.restore.world().then(
        ({ generation }) => generation,
        () => 0,
      );
      const next = raised(world, { sign, stored, now: clock.now() });
      const without = [GO_ON_WITHOUT, LET_GO];
      if (!(await swapConfigMap(configMaps, { ref, live, data: dataOf(next), without }))) continue;
      log.error(
        { ...next, unclaimed: undefined },
        'an older etcd was put back: nothing is done until agents have listed',
      );
      see(next);
      return;
    }
    throw new Error('the generation was raised by others too often in a row');
  };
  const untilRaised = async (sign: Sign): Promise<void> => {
    while (!signal.aborted) {
      try {
        return await raise(sign);
      } catch (error) {
        log.warn({ err: error }, 'an older etcd is suspected; the generation could not be raised yet');
      }
      await clock.sleep(AGAIN_MS, { signal }).catch(() => undefined);
    }
  };
  /** From now on, until the ConfigMap says so too or a live read shows that there is nothing in it. */
  const rest = (sign: Sign): void => {
    suspicions++;
    void untilRaised(sign).finally(() => {
      suspicions--;
    });
  };
  contracts.onChange(({ type, object }) => {
    // What a list after a restore does not have any more is told of as it was in the world before.
    if (type !== 'Deleted') highest.saw(object.metadata.resourceVersion);
  });
  contracts.onWentBack(({ seen }) => {
    if (highest.isNews(seen)) rest({ because: 'WentBack', generation: known.generation });
  });
  informer.onChange(({ type, object }) => {
    const world = type === 'Deleted' ? FIRST_WORLD : worldOf(object);
    // Somebody deleted it, or etcd went back behind the last restore; or the watch is late, which a live read tells.
    if (world.generation < known.generation)
      rest({ because: 'GenerationAhead', generation: known.generation });
    see(world);
  });
  return {
    now: () => known,
    isResolving: () => known.phase === 'Resolving' || suspicions > 0,
    isCertain: () => isCertain,
    becomes: (certainty) => {
      isCertain = certainty === 'Certain';
    },
    highest: highest.version,
    raise,
    read,
    ref,
    informer,
  };
}
