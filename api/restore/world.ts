/**
 * Which world this facade lives in, heard through a watch of ConfigMap `dcmarket-world` and never asked for on the
 * way of a request; what gives an older one away; and the one write that says so, by compare-and-swap. While it is
 * Resolving, or suspected here, nothing is granted, moved, stopped or destroyed. Source: docs/contract.md, 12.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { generationOf } from '../../crds/contract/generation.ts';
import type { OlderWorldSign } from '../../crds/contract/unclaimed.ts';
import { Problem } from '../../crds/problem.ts';
import { createHighest, isAbove } from '../../crds/restore/highest.ts';
import {
  FIRST_WORLD,
  isNews,
  later,
  type Sign,
  WORLD,
  type World,
  worldOf,
} from '../../crds/restore/world.ts';
import { isBehind } from '../../kube/behind.ts';
import type { ConfigMap } from '../../kube/config-map.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Observe } from '../../kube/observation.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Clients } from '../clients.ts';
import type { Installation } from '../installation.ts';
import type { StorePort } from '../store-port.ts';

import { createProver, type ProvenGrant, type Prover } from './proof.ts';
import { raiseGeneration, untilDone } from './raise.ts';

export type WorldKeeper = Readonly<{
  now: () => World;
  /** Throws Problem RestoreInProgress. */
  requireNormal: () => void;
  /** The same after a live read: before anybody is told to destroy, stop or confirm. */
  requireCertain: () => Promise<void>;
  areDeletionsSuspended: () => boolean;
  /** Raises the generation, unless the evidence is of a world before the last restore. */
  raise: (sign: Sign) => Promise<void>;
  /** PostgreSQL and a hypervisor know of a machine that the cluster should know. Never throws; freezes at once. */
  suspect: (sign: OlderWorldSign) => void;
  /** An agent says how far the world had got when it last heard. */
  hear: (said: Readonly<{ heard: string | undefined; agentUID: string }>) => Promise<void>;
  /** What to tell agents to keep; undefined before anything was seen. */
  heardNow: () => Promise<string | undefined>;
  proofOf: (grant: ProvenGrant) => Promise<string>;
  isProof: (grant: ProvenGrant, proof: string | undefined) => Promise<boolean>;
  /** A write of this process was answered with this version of a contract. */
  saw: (resourceVersion: string | undefined) => void;
  /** Looks now: a message names a generation that the watch has not brought yet. */
  refresh: () => Promise<World>;
}>;

export type RunningWorld = Readonly<{
  keeper: WorldKeeper;
  run: (signal: AbortSignal) => Promise<void>;
  synced: (signal: AbortSignal) => Promise<void>;
}>;

type Parts = Readonly<{
  clients: Pick<Clients, 'configMaps' | 'contracts'>;
  contracts: Pick<Informer<Contract>, 'cache' | 'onChange' | 'onWentBack'>;
  store: Pick<StorePort, 'restore'>;
  installation: () => Promise<Installation>;
  /** Of the installation. */
  namespace: string;
  /** Of contracts; undefined: all. */
  watched?: string | undefined;
  clock: Clock;
  log: Logger;
  observe?: Observe | undefined;
  watchStallMs?: number | undefined;
  stopping: AbortSignal;
}>;

const RETRY_AFTER_SECONDS = 5;

export function createWorld(parts: Parts): RunningWorld {
  const { clients, contracts, clock, log, namespace } = parts;
  const ref = { namespace, name: WORLD };
  const informer = createInformer<ConfigMap>({
    resource: clients.configMaps,
    namespace,
    fieldSelector: `metadata.name=${WORLD}`,
    clock,
    log,
    observe: parts.observe,
    stallMs: parts.watchStallMs,
  });
  let known: World = FIRST_WORLD;
  const highest = createHighest();
  let suspicions = 0;
  let prover: Promise<Prover> | undefined;

  const see = (world: World): void => {
    const before = known;
    known = later(known, world);
    if (known.generation > before.generation) highest.rose(contracts.cache.resourceVersion());
    if (known.generation !== before.generation || known.phase !== before.phase)
      log.warn({ ...known, unclaimed: known.unclaimed.length }, 'the world changed');
  };
  const raise = (sign: Sign) => raiseGeneration(parts, { ref, sign, see });
  /** Rests from now on, until the ConfigMap says so too. */
  const rest = (sign: Sign): void => {
    suspicions++;
    void untilDone(parts, () => raise(sign)).finally(() => {
      suspicions--;
    });
  };
  const refresh = async (): Promise<World> => {
    const world = worldOf(await clients.configMaps.get(ref));
    if (world.generation < known.generation)
      rest({ because: 'GenerationAhead', generation: known.generation });
    see(world);
    return known;
  };
  const suspect = (sign: Sign): void => {
    if (isNews(known, sign)) rest(sign);
  };
  const requireNormal = (): void => {
    if (known.phase === 'Resolving' || suspicions > 0) throw restoreInProgress(known);
  };
  const proverOf = (): Promise<Prover> => {
    prover ??= parts.installation().then(({ seed }) => createProver(seed));
    prover.catch(() => {
      prover = undefined;
    });
    return prover;
  };

  contracts.onChange(({ type, object }) => {
    // What a list after a restore does not have any more is told of as it was in the world before.
    if (type !== 'Deleted') highest.saw(object.metadata.resourceVersion);
  });
  contracts.onWentBack(({ seen }) => {
    if (highest.isNews(seen)) suspect({ because: 'WentBack', generation: known.generation });
  });
  informer.onChange(({ type, object }) => {
    const world = type === 'Deleted' ? FIRST_WORLD : worldOf(object);
    // Somebody deleted it, or etcd went back behind the last restore; or the watch is late, which a live read tells.
    if (world.generation < known.generation)
      rest({ because: 'GenerationAhead', generation: known.generation });
    see(world);
  });

  const keeper: WorldKeeper = {
    now: () => known,
    refresh,
    raise,
    saw: highest.saw,
    requireNormal,
    requireCertain: async () => {
      requireNormal();
      await refresh();
      requireNormal();
    },
    areDeletionsSuspended: () => known.phase === 'Resolving' || suspicions > 0,
    suspect: ({ epoch, agentUID }) =>
      suspect({ because: 'StoreNamesMachine', generation: generationOf(epoch), revealedBy: agentUID }),
    hear: async ({ heard, agentUID }) => {
      const told = heard === undefined ? undefined : (await proverOf()).readHeard(heard);
      if (!told || told.generation < known.generation) return;
      if (told.generation > known.generation) {
        if ((await refresh()).generation >= told.generation) return;
        await raise({ because: 'GenerationAhead', generation: told.generation, revealedBy: agentUID });
        return;
      }
      if (!isAbove(told.resourceVersion, highest.version())) return;
      // Another facade may be ahead of our watch: the server itself says where it is.
      const look = async (): Promise<string> => {
        const { resourceVersion } = await clients.contracts.list({ namespace: parts.watched, limit: 1 });
        if (told.generation === known.generation) highest.saw(resourceVersion);
        return resourceVersion;
      };
      if (await isBehind(told.resourceVersion, { look, clock: parts.clock, signal: parts.stopping }))
        await raise({ because: 'VersionAhead', generation: told.generation, revealedBy: agentUID });
    },
    heardNow: async () => {
      const { generation } = known;
      const resourceVersion = highest.version(); // read together: it belongs to this generation
      if (resourceVersion === '0') return undefined;
      return (await proverOf()).heardOf({ generation, resourceVersion });
    },
    proofOf: async (grant) => (await proverOf()).proofOf(grant),
    isProof: async (grant, proof) => proof !== undefined && (await proverOf()).isProof(grant, proof),
  };
  return { keeper, run: informer.run, synced: informer.synced };
}

function restoreInProgress({ waitingFor, since }: World): Problem {
  const when = since ? ` since ${since}` : '';
  return new Problem(
    'RestoreInProgress',
    `An older state of the cluster was put back; it is being resolved${when}.`,
    {
      next: `Keep every machine, begin no step, and send it again. It waits for ${waitingFor ?? 'the inventories of the agents'}.`,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    },
  );
}
