/**
 * One attempt to resolve a restore: is everybody's inventory there, then every contract by the rule, then Normal.
 * Everything is read live; a crash or a lost race in between is decided again, and finds done what was done.
 */
import {
  type Contract,
  contractIdOf,
  isLive,
  type LiveContract,
  uidOfContractId,
} from '../../crds/contract/contract.ts';
import { resolveRestored } from '../../crds/contract/restore.ts';
import { LABEL } from '../../crds/group.ts';
import { describeMissing, type KnownAgent, missingListings } from '../../crds/restore/who-must-list.ts';
import { dataOf, resolved, type Unclaimed, type World } from '../../crds/restore/world.ts';
import { swapConfigMap } from '../../kube/config-map.ts';
import { isConflict } from '../../kube/error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ListPage, ListQuery } from '../../kube/resource.ts';
import type { LiveMachine, RestoreListing } from '../../store/restore.ts';
import type { StoredFacts } from '../../store/restore-facts.ts';
import type { Clients } from '../clients.ts';
import type { RestoreDeps } from './deps.ts';
import { describeUnresolved, resolveEach, type Unresolved } from './each.ts';
import {
  type AgentInCluster,
  type Inventory,
  inventoryOf,
  type KnownAgents,
  restoredFacts,
} from './facts.ts';

const PAGE = 500;
const LIVE_PAGE = 1000;
const WRITES_MAX = 5;

/** `waitedMs`: since PostgreSQL could take listings of this generation, as far as this leader knows. */
type Step = Readonly<{ world: World; waitedMs: number; signal: AbortSignal }>;

/** What is waited for; undefined: it is resolved. Throws what a later attempt may not. */
export async function resolveOnce(
  deps: RestoreDeps,
  { world, waitedMs, signal }: Step,
): Promise<string | undefined> {
  const { store, clients, clock } = deps;
  const { generation } = world;
  const listings = await store.restore.listings(generation);
  const machines = await liveMachines(deps);
  const agents = await agentsOf(deps, signal);
  const missing = missingListings({
    world,
    storeAgents: new Set(machines.map(({ agentUID }) => agentUID)),
    heard: await heardSince(deps, { world, agents, signal }),
    heardForMs: deps.heardForMs,
    listed: listedIn(listings),
    nameOf: (uid) => nameOf(agents.get(uid)),
    isRevoked: (uid) => agents.get(uid)?.isRevoked ?? false,
    waitedMs,
  });
  if (missing.length > 0) return describeMissing(missing);
  const leftMs = Date.parse(world.since ?? '') + deps.settleMs - clock.now().getTime();
  if (leftMs > 0) return 'agents that are online to be heard once';
  const inventory = inventoryOf(listings);
  const known = new Set<string>();
  const unresolved: Unresolved[] = [];
  const round = { inventory, agents, listed: listedIn(listings), generation, signal };
  for await (const contracts of pages((query) =>
    clients.contracts.list({ ...query, namespace: deps.namespace }, { signal }),
  )) {
    const facts = await store.restore.factsOf(contracts.flatMap(({ metadata }) => metadata.uid ?? []));
    for (const { metadata } of contracts) known.add(metadata.uid ?? '');
    unresolved.push(
      ...(await resolveEach(contracts, async (contract) => {
        const stored = facts.get(contract.metadata.uid ?? '');
        if (isLive(contract)) await resolveContract(deps, { contract, stored, ...round });
        else if (stored?.inStore) throw new Error('it has no first status yet');
      })),
    );
  }
  if (unresolved.length > 0) return describeUnresolved(unresolved, listersIn({ inventory, agents }));
  // Somebody listed while the contracts were written: once more, with that.
  if ((await store.restore.listings(generation)).length !== listings.length) return 'one more look';
  const unclaimed = await unclaimedOf(deps, { machines, inventory, known });
  return (await makeNormal(deps, { generation, unclaimed, signal })) ? undefined : 'one more look';
}

/** Names of the agents that listed a machine of a contract. */
const listersIn =
  ({ inventory, agents }: Pick<Resolving, 'inventory' | 'agents'>) =>
  ({ metadata }: Contract): string[] => {
    const found = inventory.get(contractIdOf(metadata.uid ?? '')) ?? [];
    return [...new Set(found.map(({ lister }) => nameOf(agents.get(lister)) ?? lister))];
  };

const listedIn = (listings: readonly RestoreListing[]): ReadonlySet<string> =>
  new Set(listings.map(({ agentUID }) => agentUID));

type ResolveDeps = Pick<RestoreDeps, 'clock' | 'log'> &
  Readonly<{ clients: Readonly<{ contracts: Pick<Clients['contracts'], 'get' | 'updateStatus'> }> }>;

type Resolving = Readonly<{
  contract: LiveContract;
  stored: StoredFacts | undefined;
  inventory: Inventory;
  agents: KnownAgents;
  listed: ReadonlySet<string>;
  generation: number;
  signal: AbortSignal;
}>;

/** Throws when others write it again and again: it is named, and the market stays at rest. */
export async function resolveContract(deps: ResolveDeps, resolving: Resolving): Promise<void> {
  const { clients, clock, log } = deps;
  const { signal } = resolving;
  let contract = resolving.contract;
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const facts = restoredFacts(contract, { ...resolving, now: clock.now() });
    const steps = resolveRestored(contract, facts);
    try {
      for (const status of steps) {
        const written: Contract = await clients.contracts.updateStatus({ ...contract, status }, { signal });
        contract = { ...written, status };
        const { phase, epoch, reason } = status;
        log.warn(
          { contract: contract.metadata.uid, phase, epoch, reason },
          'contract resolved after a restore',
        );
      }
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
      const live = await clients.contracts.get(resolving.contract.metadata, { signal });
      if (!live || !isLive(live)) return;
      contract = live;
    }
  }
  throw new Error('it was written by others too often in a row');
}

type Left = Readonly<{ machines: readonly LiveMachine[]; inventory: Inventory; known: ReadonlySet<string> }>;

/**
 * Machines whose contract is not in etcd: what PostgreSQL knows, then what was listed with the proof of its grant
 * and never ended, one for each grant.
 */
async function unclaimedOf(
  { store }: RestoreDeps,
  { machines, inventory, known }: Left,
): Promise<Unclaimed[]> {
  const listed = [...inventory].flatMap(([contractId, found]) => {
    const contractUID = uidOfContractId(contractId);
    if (contractUID === undefined || known.has(contractUID)) return [];
    const proven = found.filter(({ machine }) => machine.isProven);
    return proven.map(({ lister, machine }) => ({
      contractUID,
      epoch: machine.epoch ?? 0,
      agentUID: machine.agentUid ?? lister,
      externalId: machine.externalId,
    }));
  });
  const facts = await store.restore.factsOf([...new Set(listed.map(({ contractUID }) => contractUID))]);
  const unended = listed.filter(({ contractUID }) => facts.get(contractUID)?.ended === undefined);
  const lost = [...machines.filter(({ contractUID }) => !known.has(contractUID)), ...unended];
  const grants = Map.groupBy(
    lost,
    ({ contractUID, epoch, agentUID }) => `${contractUID} ${epoch} ${agentUID}`,
  );
  return [...grants.values()].flatMap(([first]) => first ?? []);
}

type End = Readonly<{ generation: number; unclaimed: readonly Unclaimed[]; signal: AbortSignal }>;

/** False when the ConfigMap is another by now. */
async function makeNormal(
  { world, configMaps, clock, store }: RestoreDeps,
  { generation, unclaimed, signal }: End,
): Promise<boolean> {
  const { live, world: before } = await world.read();
  if (before.generation !== generation || before.phase !== 'Resolving') return false;
  const data = dataOf(resolved(before, { unclaimed, now: clock.now() }));
  if (!(await swapConfigMap(configMaps, { ref: world.ref, live, data }, { signal }))) return false;
  await world.read();
  await store.restore.dropListings(generation);
  return true;
}

async function liveMachines({ store }: RestoreDeps): Promise<LiveMachine[]> {
  const all: LiveMachine[] = [];
  for (;;) {
    const page = await store.restore.liveMachines({ after: all.at(-1)?.contractUID, limit: LIVE_PAGE });
    all.push(...page);
    if (page.length < LIVE_PAGE) return all;
  }
}

async function agentsOf({ clients, namespace }: RestoreDeps, signal: AbortSignal): Promise<KnownAgents> {
  const agents = new Map<string, AgentInCluster>();
  for await (const page of pages((query) => clients.agents.list({ ...query, namespace }, { signal })))
    for (const { metadata, spec } of page)
      agents.set(metadata.uid ?? '', {
        name: metadata.name,
        namespace: metadata.namespace,
        poolName: spec.poolName,
        isRevoked: spec.revoked ?? false,
      });
  return agents;
}

const nameOf = (agent: AgentInCluster | undefined): string | undefined =>
  agent && `${agent.namespace ?? ''}/${agent.name}`;

type Since = Readonly<{ world: World; agents: KnownAgents; signal: AbortSignal }>;

/** Agents whose heartbeat is younger than the restore: they are there, and list within seconds. */
async function heardSince(
  { leases, namespace }: RestoreDeps,
  { world, agents, signal }: Since,
): Promise<KnownAgent[]> {
  const since = Date.parse(world.since ?? '');
  const heard: KnownAgent[] = [];
  const list = (query: ListQuery) =>
    leases.list({ ...query, namespace, labelSelector: LABEL.agent }, { signal });
  for await (const page of pages(list))
    for (const { metadata, spec } of page) {
      const uid = metadata.labels?.[LABEL.agent] ?? '';
      const name = nameOf(agents.get(uid));
      if (name !== undefined && Date.parse(spec?.renewTime ?? '') > since) heard.push({ uid, name });
    }
  return heard;
}

async function* pages<T extends KubeObject>(
  list: (query: ListQuery) => Promise<ListPage<T>>,
): AsyncGenerator<readonly T[]> {
  let next: string | undefined;
  do {
    const page = await list({ limit: PAGE, continue: next });
    yield page.items;
    next = page.continue;
  } while (next !== undefined);
}
