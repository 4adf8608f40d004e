/** The controllers of offerings, providers and setup tokens: each is one pure decision and one write. */
import { isDeepStrictEqual } from 'node:util';
import { isTrue } from '../crds/condition.ts';
import { hasEnded } from '../crds/contract/phase.ts';
import { usesOfOffering, usesOfProvider } from '../crds/in-use.ts';
import type { Offering } from '../crds/offering.ts';
import { type Controller, createController } from '../kube/controller.ts';
import type { Informer } from '../kube/informer.ts';
import { type KubeObject, keyOf } from '../kube/object.ts';
import { again } from './again.ts';
import type { OperatorDeps } from './deps.ts';
import { keepWhileUsed, type Users, usersLive } from './in-use.ts';
import { decideOffering } from './offering/decide.ts';
import { giveBackLost, unitsWithoutContract } from './offering/lost-units.ts';
import { decideProvider } from './provider/decide.ts';
import { decideToken } from './setup-token/decide.ts';
import { on } from './source.ts';
import { createWriteTimes } from './write-times.ts';

const COUNTS_EVERY_MS = 10_000;
/** While an older etcd is being resolved nothing goes: what uses it may not be back yet. */
const RESTING_MS = 30_000;

export function offeringController({
  clients,
  informers,
  clock,
  observe,
  log,
  world,
}: OperatorDeps): Controller {
  const { offerings, pools, contracts, recipes } = informers;
  const hasRecipe = ({ metadata, spec }: Offering): boolean =>
    !spec.recipe || recipes.cache.get(`${metadata.namespace ?? ''}/${spec.recipe.name}`) !== undefined;
  const writes = createWriteTimes(clock);
  return createController({
    name: 'offering',
    clock,
    observe,
    log,
    workers: 2,
    sources: [
      on(offerings, (object) => [keyOf(object)]),
      on(pools, (object, old) =>
        old && isDeepStrictEqual(old.spec, object.spec)
          ? []
          : offerings.cache.getByIndex('namespace', object.metadata.namespace ?? '').map(keyOf),
      ),
      on(recipes, ({ metadata }) =>
        offerings.cache
          .getByIndex('namespace', metadata.namespace ?? '')
          .filter(({ spec }) => spec.recipe?.name === metadata.name)
          .map(keyOf),
      ),
      on(contracts, (object, old) =>
        old?.status?.phase === object.status?.phase
          ? []
          : [`${object.metadata.namespace ?? ''}/${object.spec.offering.name}`],
      ),
    ],
    reconcile: again(async ({ key, signal }) => {
      const offering = offerings.cache.get(key);
      if (!offering) return {};
      if (offering.metadata.deletionTimestamp && world.isResolving()) return { requeueAfterMs: RESTING_MS };
      const namespace = offering.metadata.namespace ?? '';
      const keeping = await keepWhileUsed({
        resource: clients.offerings,
        object: offering,
        uses: () => usesOfOffering(offering, contracts.cache.getByIndex('offering', key)),
        // Only this leader accepts a contract, and it waits for its own writes: the cache knows of all of them.
        usesLive: async () => usesOfOffering(offering, contracts.cache.getByIndex('offering', key)),
        signal,
      });
      if (keeping.next === 'Nothing') return {};
      const isSuspect =
        unitsWithoutContract(offering, contracts.cache.getByIndex('offering', key)).length > 0;
      if (isSuspect && !world.isResolving() && (await giveBackLost(clients, { offering, signal }))) return {};
      const status = decideOffering({
        offering,
        pools: pools.cache.getByIndex('namespace', namespace),
        uses: keeping.uses,
        hasRecipe: hasRecipe(offering),
        activeContracts: contracts.cache.countOf('offering', key),
        now: clock.now(),
      });
      if (isDeepStrictEqual(status, offering.status)) return {};
      const onlyCount = isDeepStrictEqual(
        { ...status, activeContracts: 0 },
        { ...offering.status, activeContracts: 0 },
      );
      const sinceMs = writes.sinceMs(key);
      if (onlyCount && sinceMs < COUNTS_EVERY_MS) return { requeueAfterMs: COUNTS_EVERY_MS - sinceMs };
      await clients.offerings.updateStatus({ ...offering, status }, { signal });
      writes.note(key);
      return {};
    }),
  });
}

export function providerController(deps: OperatorDeps): Controller {
  const { clients, informers, clock, observe, log, namespace: only, world } = deps;
  const { providers, pools, agents, offerings, contracts } = informers;
  const rivalsOf = (namespace: string, publicKey: string) => [
    ...new Set([
      ...providers.cache.getByIndex('namespace', namespace),
      ...providers.cache.getByIndex('key', publicKey),
    ]),
  ];
  const deletedOf = (namespace = ''): string[] =>
    providers.cache
      .getByIndex('namespace', namespace)
      .filter(({ metadata }) => metadata.deletionTimestamp)
      .map(keyOf);
  const inIt = ({ metadata }: KubeObject): string[] => deletedOf(metadata.namespace);
  return createController({
    name: 'provider',
    clock,
    observe,
    log,
    workers: 1,
    sources: [
      on(providers, (object, old) => [
        keyOf(object),
        ...rivalsOf(object.spec.namespace, object.spec.publicKey).map(keyOf),
        ...(old ? rivalsOf(old.spec.namespace, old.spec.publicKey).map(keyOf) : []),
      ]),
      on(pools, inIt),
      on(agents, inIt),
      on(offerings, inIt),
      on(contracts, (object, old) =>
        old?.status?.phase === object.status?.phase ? [] : deletedOf(object.metadata.namespace),
      ),
    ],
    reconcile: again(async ({ key, signal }) => {
      const provider = providers.cache.get(key);
      if (!provider || (only !== undefined && provider.spec.namespace !== only)) return {};
      const rivals = rivalsOf(provider.spec.namespace, provider.spec.publicKey).filter(
        (rival) => keyOf(rival) !== key,
      );
      if (provider.metadata.deletionTimestamp && world.isResolving()) return { requeueAfterMs: RESTING_MS };
      const isOwner = isTrue(decideProvider({ provider, rivals, now: clock.now() }).conditions, 'Ready');
      const { namespace } = provider.spec;
      const keeping = await keepWhileUsed({
        resource: clients.providers,
        object: provider,
        // What is in a namespace that belongs to an older provider is nothing of this one.
        uses: () => (isOwner ? usesOfProvider(usersCached(deps, namespace)) : {}),
        usesLive: async () =>
          isOwner ? usesOfProvider(await usersLive(clients, { namespace, signal })) : {},
        signal,
      });
      if (keeping.next === 'Nothing') return {};
      const status = decideProvider({ provider, rivals, uses: keeping.uses, now: clock.now() });
      if (!isDeepStrictEqual(status, provider.status))
        await clients.providers.updateStatus({ ...provider, status }, { signal });
      return {};
    }),
  });
}

/** Walks over everything that is cached: only of a provider that was deleted. */
function usersCached({ informers }: OperatorDeps, namespace: string): Users {
  const inIt = <T extends KubeObject>({ cache }: Informer<T>): readonly T[] =>
    cache.list().filter(({ metadata }) => metadata.namespace === namespace);
  const { agents, offerings, contracts, pools } = informers;
  return {
    agents: inIt(agents),
    offerings: inIt(offerings),
    contracts: inIt(contracts).filter(({ status }) => status && !hasEnded(status.phase)),
    pools: inIt(pools),
  };
}

export function setupTokenController({ clients, informers, clock, observe, log }: OperatorDeps): Controller {
  const { tokens } = informers;
  return createController({
    name: 'setuptoken',
    clock,
    observe,
    log,
    workers: 1,
    sources: [on(tokens, (object) => [keyOf(object)])],
    reconcile: again(async ({ key, signal }) => {
      const token = tokens.cache.get(key);
      if (!token) return {};
      const decision = decideToken(token, clock.now());
      if (decision.outcome === 'Keep') return { requeueAfterMs: decision.requeueAfterMs };
      const { uid, resourceVersion } = token.metadata;
      await clients.tokens.delete(token.metadata, { uid, resourceVersion }, { signal });
      return {};
    }),
  });
}
