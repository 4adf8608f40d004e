/** The controllers of offerings, providers and setup tokens: each is one pure decision and one write. */
import { isDeepStrictEqual } from 'node:util';
import { type Controller, createController } from '../kube/controller.ts';
import { keyOf } from '../kube/object.ts';
import { again } from './again.ts';
import type { OperatorDeps } from './deps.ts';
import { decideOffering } from './offering/decide.ts';
import { decideProvider } from './provider/decide.ts';
import { decideToken } from './setup-token/decide.ts';
import { on } from './source.ts';
import { createWriteTimes } from './write-times.ts';

const COUNTS_EVERY_MS = 10_000;

export function offeringController({ clients, informers, clock, observe, log }: OperatorDeps): Controller {
  const { offerings, pools, contracts } = informers;
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
      on(contracts, (object, old) =>
        old?.status?.phase === object.status?.phase
          ? []
          : [`${object.metadata.namespace ?? ''}/${object.spec.offering.name}`],
      ),
    ],
    reconcile: again(async ({ key, signal }) => {
      const offering = offerings.cache.get(key);
      if (!offering) return {};
      const status = decideOffering({
        offering,
        pools: pools.cache.getByIndex('namespace', offering.metadata.namespace ?? ''),
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
  const { clients, informers, clock, observe, log, namespace: only } = deps;
  const { providers } = informers;
  const rivalsOf = (namespace: string, publicKey: string) => [
    ...new Set([
      ...providers.cache.getByIndex('namespace', namespace),
      ...providers.cache.getByIndex('key', publicKey),
    ]),
  ];
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
    ],
    reconcile: again(async ({ key, signal }) => {
      const provider = providers.cache.get(key);
      if (!provider || (only !== undefined && provider.spec.namespace !== only)) return {};
      const rivals = rivalsOf(provider.spec.namespace, provider.spec.publicKey).filter(
        (rival) => keyOf(rival) !== key,
      );
      const status = decideProvider({ provider, rivals, now: clock.now() });
      if (!isDeepStrictEqual(status, provider.status))
        await clients.providers.updateStatus({ ...provider, status }, { signal });
      return {};
    }),
  });
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
