/**
 * The watches behind `caches.ts`: one informer per kind, its indexes, and who is woken by which change. Started
 * and stopped by whoever made them; a request never waits for more than a lookup here.
 */
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import { type Contract, isLive } from '../crds/contract/contract.ts';
import { demandKeys, supplyKeys } from '../crds/contract/eligibility.ts';
import { hasEnded } from '../crds/contract/phase.ts';
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
import { createQueues, type Queues } from './placement/queues.ts';
import { failedAgents } from './placement/track-record.ts';
import { createRecentWrites, type RecentWrites } from './recent-writes.ts';
import { WAKE, type Wakes } from './wake.ts';
import { doomedEpochs } from './work/doomed.ts';

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
  /** For whoever must know that the world went back, and for the supply. */
  contracts: Informer<Contract>;
  pools: Informer<AgentPool>;
  agents: Informer<Agent>;
  leases: Informer<Lease>;
  /** Writes of this process, before the watch tells of them. */
  onNote: (handler: (written: Contract) => void) => void;
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
  const recent = createRecentWrites(informers.contracts);
  const queues = keepQueues(informers.contracts);
  wakeOnChange(informers, parts.wakes);
  const isSynced = (): boolean => all.every((informer) => informer.isSynced());
  return {
    contracts: informers.contracts,
    pools: informers.pools,
    agents: informers.agents,
    leases: informers.leases,
    onNote: recent.onNote,
    caches: toCaches(informers, { recent, queues, isSynced }),
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
        namespace: namespaceOf,
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
        holder: holdersOf,
        resumable: (contract) => (isWaiting(contract) ? holdersOf(contract) : []),
        doomed: (contract) => holdersOf(contract).filter((uid) => doomedEpochs(contract, uid).length > 0),
        failed: failedAgents,
        // What has ended has no machine, and stays for a month.
        group: (contract) => (contract.status && hasEnded(contract.status.phase) ? [] : groupOf(contract)),
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

const holdersOf = ({ status }: Contract): string[] => [
  ...new Set((status?.holders ?? []).map(({ agentUID }) => agentUID)),
];

/** Contracts of one tenant that are to be kept apart. */
const groupOf = ({ metadata, spec }: Contract): string[] =>
  spec.antiAffinity ? [`${metadata.namespace}/${spec.tenant.publicKey}/${spec.antiAffinity.group}`] : [];

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

function keepQueues(contracts: Informer<Contract>): Queues {
  const queues = createQueues();
  contracts.onChange(({ type, object }) => {
    if (type === 'Deleted') queues.remove(object.metadata.uid ?? '');
    else queues.put(object, isWaiting(object) ? demandKeys(object) : []);
  });
  return queues;
}

type Kept = Readonly<{ recent: RecentWrites; queues: Queues; isSynced: () => boolean }>;

function toCaches(all: All, { recent, queues, isSynced }: Kept): Caches {
  const { providers, pools, agents, tokens, offerings, contracts, leases } = all;
  const newestOf = (cached: readonly Contract[]): Contract[] =>
    cached.map((contract) => recent.newest(contract.metadata.uid ?? '', contract) ?? contract);
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
      inNamespace: (namespace) => agents.cache.getByIndex('namespace', namespace),
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
      heldBy: (agentUid) => heldBy({ contracts, recent }, agentUid),
      undecidedIn: (namespace) => contracts.cache.getByIndex('undecided', namespace),
      wishingOf: (agentUid) => contracts.cache.getByIndex('wishing', agentUid),
      waiting: function* (demandKey) {
        for (const uid of queues.under(demandKey)) {
          const contract = recent.newest(uid, first(contracts, 'uid', uid));
          if (contract && isWaiting(contract)) yield contract;
        }
      },
      queueVersion: queues.versionOf,
      resumableBy: (agentUid) => newestOf(contracts.cache.getByIndex('resumable', agentUid)),
      doomedAt: (agentUid) => newestOf(contracts.cache.getByIndex('doomed', agentUid)),
      placeInQueue: queues.placeOf,
      failedBy: (agentUid) => contracts.cache.getByIndex('failed', agentUid),
      companionsOf: (contract) =>
        groupOf(contract).flatMap((group) => newestOf(contracts.cache.getByIndex('group', group))),
      byIdempotencyKey: ({ tenantKey, keyHash }) =>
        first(contracts, 'idempotency', `${tenantKey}/${keyHash}`),
    },
    leases: {
      get: (ref) => leases.cache.get(keyOfRef(ref)),
      ofAgent: (uid) => first(leases, 'agent', uid),
    },
  };
}

type Holding = Readonly<{ contracts: Informer<Contract>; recent: RecentWrites }>;

/** With what this process has just granted: the next claim of the agent must not find room that is taken. */
function heldBy({ contracts, recent }: Holding, agentUid: string): Contract[] {
  const held = new Map<string, Contract>();
  const indexed = contracts.cache.getByIndex('holder', agentUid);
  for (const contract of [...indexed, ...recent.heldBy(agentUid)]) {
    const uid = contract.metadata.uid ?? '';
    held.set(uid, recent.newest(uid, contract) ?? contract);
  }
  return [...held.values()];
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
