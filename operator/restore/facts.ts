/** What the agents listed and what etcd has of them, as the facts that the rule of a restore asks for. Pure. */
import { contractIdOf, type LiveContract } from '../../crds/contract/contract.ts';
import type { RestoredFacts, RestoredMachine } from '../../crds/contract/restore-facts.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import type { ListedMachine, RestoreListing } from '../../store/restore.ts';
import type { StoredFacts } from '../../store/restore-facts.ts';

export type AgentInCluster = Readonly<{
  name: string;
  poolName: string;
  namespace: string | undefined;
  isRevoked: boolean;
}>;

/** By UID. */
export type KnownAgents = ReadonlyMap<string, AgentInCluster>;

/** Every machine of the listings, by the id of its contract. */
export type Inventory = ReadonlyMap<string, readonly Listed[]>;
type Listed = Readonly<{ lister: string; machine: ListedMachine }>;

export function inventoryOf(listings: readonly RestoreListing[]): Inventory {
  const all = listings.flatMap(({ agentUID, machines }) =>
    machines.map((machine) => ({ lister: agentUID, machine })),
  );
  return Map.groupBy(all, ({ machine }) => machine.contractId ?? '');
}

type Known = Readonly<{
  inventory: Inventory;
  stored: StoredFacts | undefined;
  agents: KnownAgents;
  listed: ReadonlySet<string>;
  generation: number;
  now: Date;
}>;

export function restoredFacts({ metadata, status }: LiveContract, known: Known): RestoredFacts {
  const { inventory, stored, agents, listed, generation, now } = known;
  const found = inventory.get(contractIdOf(metadata.uid ?? '')) ?? [];
  const mayList = isOfProvider(agents, metadata.namespace);
  const machines = found.filter(mayList).map(({ lister, machine }): RestoredMachine => {
    const agentUID = machine.agentUid ?? lister;
    return {
      agent: agents.get(agentUID)?.name ?? 'unknown',
      agentUID,
      epoch: machine.epoch ?? impliedEpoch(machine, { agentUID, status, stored }),
      externalId: machine.externalId,
      createdAt: machine.createdAt,
      details: machine.details,
      isProven: machine.isProven,
    };
  });
  return {
    listed: uniqueBy(machines, ({ agentUID, epoch, externalId }) => `${agentUID} ${epoch} ${externalId}`),
    inStore: stored?.inStore,
    ended: stored?.ended,
    closed: stored?.closed ?? [],
    hasListed: (uid) => listed.has(uid),
    agentOf: (uid) => agents.get(uid),
    generation,
    now,
  };
}

/**
 * A listing speaks of contracts of its own provider, of machines that the lister built itself, and of those that a
 * revoked agent of this provider left behind: what anybody else says of them is only words.
 */
function isOfProvider(agents: KnownAgents, namespace: string | undefined): (listed: Listed) => boolean {
  const isHere = (uid: string): boolean => agents.get(uid)?.namespace === namespace;
  return ({ lister, machine: { agentUid = lister } }) =>
    isHere(lister) && isHere(agentUid) && (agentUid === lister || agents.get(agentUid)?.isRevoked === true);
}

type Implied = Readonly<{ agentUID: string; status: ContractStatus; stored: StoredFacts | undefined }>;

/** Machines of the reference agent carry no epoch: that of the machine of this name, else of the latest grant. */
function impliedEpoch({ externalId }: ListedMachine, { agentUID, status, stored }: Implied): number {
  for (const known of [stored?.inStore, status.instance])
    if (known?.externalId === externalId && known.agentUID === agentUID) return known.epoch;
  const own = (status.holders ?? []).filter((entry) => entry.agentUID === agentUID);
  return Math.max(0, ...own.map(({ epoch }) => epoch));
}

/** A hypervisor that two agents see is listed twice. */
const uniqueBy = <T>(items: readonly T[], keyOf: (item: T) => string): T[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];
