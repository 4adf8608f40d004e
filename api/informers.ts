/**
 * The watches behind `caches.ts`: one informer per kind, its indexes, and who is woken by which change. Started
 * and stopped by whoever made them; a request never waits for more than a lookup here.
 */
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import { type Contract, isLive } from '../crds/contract/contract.ts';
import { demandKeys, supplyKeys } from '../crds/contract/eligibility.ts';
import { openWishes } from '../crds/contract/upkeep.ts';
import { endWish } from '../crds/contract/wishes.ts';
import { ANNOTATION, LABEL } from '../crds/group.ts';
import type { Offering } from '../crds/offering.ts';
import type { Provider } from '../crds/provider.ts';
import type { SetupToken } from '../crds/setup-token.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Observe } from '../kube/observation.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Caches, Ref } from './caches.ts';
import type { Clients, Lease } from './clients.ts';
import { createRecentWrites } from './recent-writes.ts';
import { WAKE, type Wakes } from './wake.ts';

type Parts = Readonly<{
  clients: Clients;
  wakes: Wakes;
  clock: Clock;
  log: Logger;
  observe?: Observe | undefined;
  /** Undefined: all of them. */
  namespace?: string | undefined;
  watchStallMs?: number | undefined;
}>;

export type Informers = Readonly<{
  caches: Caches;
  /** For whoever must know that the world went back. */
  contracts: Informer<Contract>;
  /** Runs all of them until `signal` is aborted. */
  run: (signal: AbortSignal) => Promise<void>;
  synced: (signal: AbortSignal) => Promise<void>;
}>;

const keyOfRef = ({ namespace, name }: Ref): string => `${namespace}/${name}`;
const poolKey = (metadata: KubeObject['metadata'], pool: string): string =>
  `${metadata.namespace ?? ''}/${pool}`;
const uidOf = ({ metadata }: KubeObject): string[] => (metadata.uid ? [metadata.uid] : []);
const namespaceOf = ({ metadata }: KubeObject): string[] => [metadata.namespace ?? ''];

export function createInformers(parts: Parts): Informers {
  const informers = inform(parts);
  const all = Object.values(informers);
  wakeOnChange(informers, parts.wakes);
  return {
    contracts: informers.contracts,
    caches: toCaches(informers, () => all.every((informer) => informer.isSynced())),
    run: async (signal) => void (await Promise.all(all.map((informer) => informer.run(signal)))),
    synced: async (signal) => void (await Promise.all(all.map((informer) => informer.synced(signal)))),
  };
}

type All = ReturnType<typeof inform>;

function inform({ clients, clock, log, observe, namespace, watchStallMs: stallMs }: Parts) {
  const everywhere = { clock, log, observe, stallMs };
  const common = { ...everywhere, namespace };
  return {
    providers: createInformer<Provider>({
      ...everywhere,
      resource: clients.providers,
      indexers: { key: ({ spec }) => [spec.publicKey], namespace: ({ spec }) => [spec.namespace] },
    }),
    pools: createInformer<AgentPool>({
      ...common,
      resource: clients.pools,
      indexers: { namespace: namespaceOf, supply: supplyKeys },
    }),
    agents: createInformer<Agent>({
      ...common,
      resource: clients.agents,
      indexers: {
        key: ({ spec }) => [spec.publicKey],
        uid: uidOf,
        pool: ({ metadata, spec }) => [poolKey(metadata, spec.poolName)],
      },
    }),
    tokens: createInformer<SetupToken>({
      ...common,
      resource: clients.tokens,
      indexers: { secret: ({ spec }) => [spec.secretSHA256] },
    }),
    offerings: createInformer<Offering>({
      ...common,
      resource: clients.offerings,
      indexers: { uid: uidOf, name: ({ metadata }) => [metadata.name] },
    }),
    contracts: createInformer<Contract>({
      ...common,
      resource: clients.contracts,
      indexers: {
        uid: uidOf,
        tenant: ({ spec }) => [spec.tenant.publicKey],
        namespace: namespaceOf,
        holder: ({ status }) => [...new Set((status?.holders ?? []).map(({ agentUID }) => agentUID))],
        waiting: (contract) => (isWaiting(contract) ? demandKeys(contract) : []),
        undecided: ({ metadata, status }) =>
          status?.phase === 'Requested' && status.reason === 'AwaitingDecision'
            ? [metadata.namespace ?? '']
            : [],
        wishing: (contract) => wishesAt(contract),
        idempotency: (contract) => idempotencyKeys(contract),
      },
    }),
    leases: createInformer<Lease>({
      ...common,
      resource: clients.leases,
      labelSelector: LABEL.agent,
      indexers: { agent: ({ metadata }) => [metadata.labels?.[LABEL.agent] ?? ''] },
    }),
  };
}

const isWaiting = (contract: Contract): boolean =>
  contract.status?.phase === 'Accepted' && endWish(contract) === undefined;

/** The agent that is to carry a wish out, while there is one. */
const wishesAt = (contract: Contract): string[] =>
  isLive(contract) && contract.status.instance && openWishes(contract).length > 0
    ? [contract.status.instance.agentUID]
    : [];

function idempotencyKeys({ metadata, spec }: Contract): string[] {
  const hash = metadata.annotations?.[ANNOTATION.idempotencyKey];
  return hash ? [`${spec.tenant.publicKey}/${hash}`] : [];
}

function toCaches(all: All, isSynced: () => boolean): Caches {
  const { providers, pools, agents, tokens, offerings, contracts, leases } = all;
  const recent = createRecentWrites(contracts);
  let offeringsVersion = 0;
  offerings.onChange(() => {
    offeringsVersion++;
  });
  const first = <T extends KubeObject>({ cache }: Informer<T>, index: string, value: string): T | undefined =>
    cache.getByIndex(index, value)[0];
  return {
    isSynced,
    providers: {
      all: providers.cache.list,
      byName: (name) => providers.cache.get(name),
      byKey: (publicKey) => providers.cache.getByIndex('key', publicKey),
      byNamespace: (namespace) => providers.cache.getByIndex('namespace', namespace),
    },
    pools: {
      get: (ref) => pools.cache.get(keyOfRef(ref)),
      inNamespace: (namespace) => pools.cache.getByIndex('namespace', namespace),
      supplying: (demandKey) => pools.cache.getByIndex('supply', demandKey),
    },
    agents: {
      byKey: (publicKey) => agents.cache.getByIndex('key', publicKey),
      byUid: (uid) => first(agents, 'uid', uid),
      inPool: (pool) => agents.cache.getByIndex('pool', keyOfRef(pool)),
    },
    tokens: { bySecretHash: (sha256) => first(tokens, 'secret', sha256) },
    offerings: {
      get: (ref) => offerings.cache.get(keyOfRef(ref)),
      all: offerings.cache.list,
      byUid: (uid) => first(offerings, 'uid', uid),
      byName: (name) => offerings.cache.getByIndex('name', name),
      version: () => offeringsVersion,
    },
    contracts: {
      byUid: (uid) => recent.newest(uid, first(contracts, 'uid', uid)),
      note: recent.note,
      ofTenant: (publicKey) => contracts.cache.getByIndex('tenant', publicKey),
      inNamespace: (namespace) => contracts.cache.getByIndex('namespace', namespace),
      heldBy: (agentUid) =>
        contracts.cache
          .getByIndex('holder', agentUid)
          .map((contract) => recent.newest(contract.metadata.uid ?? '', contract) ?? contract),
      undecidedIn: (namespace) => contracts.cache.getByIndex('undecided', namespace),
      wishingOf: (agentUid) => contracts.cache.getByIndex('wishing', agentUid),
      waiting: (demandKey) => contracts.cache.getByIndex('waiting', demandKey),
      byIdempotencyKey: ({ tenantKey, keyHash }) =>
        first(contracts, 'idempotency', `${tenantKey}/${keyHash}`),
    },
    leases: {
      get: (ref) => leases.cache.get(keyOfRef(ref)),
      ofAgent: (uid) => first(leases, 'agent', uid),
    },
  };
}

/** A change wakes who is concerned by the object as it was and as it is. */
function wakeOnChange({ contracts, agents, pools, providers }: All, wakes: Wakes): void {
  contracts.onChange((change) => {
    const states = change.type === 'Updated' ? [change.old, change.object] : [change.object];
    for (const key of new Set(states.flatMap(keysOfContract))) wakes.notify(key);
  });
  agents.onChange(({ object }) => {
    wakes.notify(WAKE.agent(object.metadata.uid ?? ''));
    wakes.notify(WAKE.key(object.spec.publicKey));
  });
  pools.onChange(({ object }) => {
    for (const key of supplyKeys(object)) wakes.notify(WAKE.demand(key));
  });
  providers.onChange(({ object }) => wakes.notify(WAKE.key(object.spec.publicKey)));
}

const keysOfContract = (contract: Contract): string[] => [
  WAKE.contract(contract.metadata.uid ?? ''),
  ...(contract.status?.holders ?? []).map(({ agentUID }) => WAKE.agent(agentUID)),
  ...(isWaiting(contract) ? demandKeys(contract).map(WAKE.demand) : []),
];
