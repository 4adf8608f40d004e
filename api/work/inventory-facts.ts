/**
 * What an inventory is judged on: live reads of exactly the contracts that an order would concern, the debts on
 * the live Agent, and what PostgreSQL remembers of machines that no entry accounts for.
 */
import type { Agent } from '../../crds/agent.ts';
import { isLive, type LiveContract, uidOfContractId } from '../../crds/contract/contract.ts';
import { type InventoryFacts, recordsNeeded } from '../../crds/contract/inventory.ts';
import type { Records } from '../../crds/contract/unclaimed.ts';
import { Problem } from '../../crds/problem.ts';
import type { ListedInstance } from '../../crds/wire/reconcile.ts';
import type { Deps } from '../deps.ts';
import { inBatches } from './in-batches.ts';
import type { Found } from './live-contracts.ts';

const READS_AT_ONCE = 8;
/** An agent's clock may be this far ahead of ours: beyond it, its signature is refused. */
const SKEW_MAX_MS = 60_000;

export type Base = Pick<InventoryFacts, 'agentUID' | 'installation' | 'listed' | 'isRevoked'>;

type Gathering = Readonly<{
  base: Base;
  agent: Agent;
  namespace: string;
  /** UIDs of the contracts about which anything but `keep` would be said. */
  suspects: readonly string[];
  fromCache: (uid: string) => LiveContract | undefined;
}>;

export async function gatherInventory(deps: Deps, gathering: Gathering): Promise<InventoryFacts> {
  const { base, agent, suspects, fromCache } = gathering;
  const live = new Map<string, LiveContract | undefined>();
  await inBatches(suspects, {
    size: READS_AT_ONCE,
    each: async (uid) => {
      const cached = fromCache(uid);
      if (!cached) return;
      const read = await deps.clients.contracts.get(cached.metadata);
      live.set(uid, read && read.metadata.uid === uid && isLive(read) ? read : undefined);
    },
  });
  const sought = await seek(deps, gathering);
  for (const [uid, found] of sought) if (typeof found === 'object') live.set(uid, found);
  const liveAgent = await deps.clients.agents.get(agent.metadata);
  const facts: InventoryFacts = {
    ...base,
    contractOf: (uid) => (live.has(uid) ? live.get(uid) : fromCache(uid)),
    heldBy: deps.caches.contracts
      .heldBy(base.agentUID)
      .flatMap(({ metadata }) => live.get(metadata.uid ?? '') ?? []),
    owed: liveAgent?.status?.owedDestroys ?? [],
    notLookedFor: new Set([...sought].filter(([, found]) => found === 'NotLooked').map(([uid]) => uid)),
  };
  const needed = recordsNeeded(facts);
  const records = await readRecords(deps, needed);
  const proven = await provenOf(deps, { ...base, contractUIDs: new Set(needed) });
  return {
    ...facts,
    recordsOf: (uid) => records.get(uid) ?? 'Unavailable',
    isProven: (machine) => proven.has(machine),
  };
}

type Proving = Pick<Base, 'agentUID' | 'listed'> & Readonly<{ contractUIDs: ReadonlySet<string> }>;

/** Machines of these contracts whose epoch was granted to this agent, as a facade has signed. */
async function provenOf(
  { world }: Pick<Deps, 'world'>,
  { agentUID, listed, contractUIDs }: Proving,
): Promise<ReadonlySet<ListedInstance>> {
  const proven = new Set<ListedInstance>();
  for (const machine of listed) {
    const contractUID = uidOfContractId(machine.contractId ?? '');
    if (!contractUID || !contractUIDs.has(contractUID) || machine.epoch === undefined) continue;
    if (await world.isProof({ contractUID, agentUID, epoch: machine.epoch }, machine.proof))
      proven.add(machine);
  }
  return proven;
}

/** Those of listed machines that the cache does not know; of a young one it may not have heard yet. */
async function seek(
  deps: Deps,
  { base, namespace, suspects, fromCache }: Gathering,
): Promise<ReadonlyMap<string, Found>> {
  const machinesOf = Map.groupBy(base.listed, ({ contractId }) => uidOfContractId(contractId ?? ''));
  const missing = suspects.filter((uid) => fromCache(uid) === undefined && machinesOf.has(uid));
  const uids = missing.filter((uid) => machinesOf.get(uid)?.some((machine) => !isYoung(machine, deps)));
  const found = new Map<string, Found>(missing.map((uid) => [uid, 'NotLooked']));
  if (uids.length === 0) return found;
  const search = { namespace, agentUID: base.agentUID, uids, because: 'Inventory' } as const;
  for (const [uid, contract] of await deps.liveContracts.find(search)) found.set(uid, contract);
  return found;
}

function isYoung(
  { createdAt }: ListedInstance,
  { clock, orphanMinAgeMs }: Pick<Deps, 'clock' | 'orphanMinAgeMs'>,
): boolean {
  if (createdAt === undefined) return false;
  const ageMs = clock.now().getTime() - Date.parse(createdAt);
  return ageMs > -SKEW_MAX_MS && ageMs < orphanMinAgeMs;
}

/** What PostgreSQL knows of these contracts; nothing is known of any while it is down. */
async function readRecords(deps: Deps, uids: readonly string[]): Promise<ReadonlyMap<string, Records>> {
  if (uids.length === 0) return new Map();
  try {
    const known = await deps.store.instances.getMany(uids);
    const records = new Map<string, Records>(uids.map((uid) => [uid, known.get(uid) ?? []]));
    await inBatches([...known.keys()], {
      size: READS_AT_ONCE,
      // In the archive: it ended, and whatever it had was gone by then.
      each: async (uid) => void ((await deps.store.archive.get(uid)) && records.set(uid, [])),
    });
    return records;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    deps.log.info({ err: error }, 'machines without an entry are not judged: the database is down');
    return new Map();
  }
}
