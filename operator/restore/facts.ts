/** What the agents listed and what etcd has of them, as the facts that the rule of a restore asks for. Pure. */
import { contractIdOf, type LiveContract } from '../../crds/contract/contract.ts';
import type { RestoredFacts, RestoredMachine } from '../../crds/contract/restore-facts.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import type { ListedInstance } from '../../crds/wire/work.ts';
import type { RestoreListing } from '../../store/restore.ts';
import type { StoredFacts } from '../../store/restore-facts.ts';

export type KnownAgents = ReadonlyMap<string, Readonly<{ name: string; poolName: string }>>;

/** Every machine of the listings, by the id of its contract. */
export type Inventory = ReadonlyMap<string, readonly Readonly<{ lister: string; machine: ListedInstance }>[]>;

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
  const machines = found.map(({ lister, machine }): RestoredMachine => {
    const agentUID = machine.agentUid ?? lister;
    return {
      agent: agents.get(agentUID)?.name ?? 'unknown',
      agentUID,
      epoch: machine.epoch ?? impliedEpoch(machine, { agentUID, status, stored }),
      externalId: machine.externalId,
      createdAt: machine.createdAt,
      details: machine.details,
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

type Implied = Readonly<{ agentUID: string; status: ContractStatus; stored: StoredFacts | undefined }>;

/** Machines of the reference agent carry no epoch: that of the machine of this name, else of the latest grant. */
function impliedEpoch({ externalId }: ListedInstance, { agentUID, status, stored }: Implied): number {
  if (stored?.inStore?.externalId === externalId) return stored.inStore.epoch;
  if (status.instance?.externalId === externalId) return status.instance.epoch;
  const own = (status.holders ?? []).filter((entry) => entry.agentUID === agentUID);
  return Math.max(0, ...own.map(({ epoch }) => epoch));
}

/** A hypervisor that two agents see is listed twice. */
const uniqueBy = <T>(items: readonly T[], keyOf: (item: T) => string): T[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];
