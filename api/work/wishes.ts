/**
 * What tenants wish of the machines of an agent, as work items: one at a time per contract, each seen in a live
 * read first, because to stop a machine is nothing that a stale cache may order.
 */
import type { Agent } from '../../crds/agent.ts';
import { isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { openWishes, orderAgainMs, type Wish } from '../../crds/contract/upkeep.ts';
import { refusalOfConfig } from '../../crds/instance-config/check.ts';
import { wishItem } from '../../crds/wire/wish-item.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { Deps } from '../deps.ts';
import { presentPending, scriptOf } from './pending.ts';

/** Contracts that are read for one answer; those whose wish failed come last. */
const WISHES_MAX = 32;

export type OrderedWishes = Readonly<{
  items: readonly WorkItem[];
  /** Until a wish that failed is ordered again; infinite when there is none. */
  dueInMs: number;
}>;

const NO_WISHES: OrderedWishes = { items: [], dueInMs: Number.POSITIVE_INFINITY };

export async function wishItems(deps: Deps, { metadata }: Agent): Promise<OrderedWishes> {
  const agentUID = metadata.uid ?? '';
  const known = deps.caches.contracts.wishingOf(agentUID);
  if (known.length === 0) return NO_WISHES;
  const nowMs = deps.clock.now().getTime();
  const wishing = known.filter(isLive).map(withDue);
  const due = wishing.filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
  const later = wishing.map(({ dueMs }) => dueMs - nowMs).filter((ms) => ms > 0);
  const items = await Promise.all(
    due.slice(0, WISHES_MAX).map(({ contract }) => orderOf(deps, { contract, agentUID })),
  );
  return { items: items.flat(), dueInMs: Math.min(Number.POSITIVE_INFINITY, ...later) };
}

/** A system is not made anew with settings that the terms do not allow: the condition says so, the others go on. */
function orderable(contract: LiveContract): Wish[] {
  const { instanceConfig, termsSnapshot } = contract.spec;
  const open = openWishes(contract);
  if (!open.some(({ wish }) => wish === 'Reinstall')) return open;
  const refused = refusalOfConfig(instanceConfig, termsSnapshot?.instanceConfigSchema);
  return refused ? open.filter(({ wish }) => wish !== 'Reinstall') : open;
}

/** When its first wish is to be ordered: at once, or a while after it failed. */
function withDue(contract: LiveContract): Readonly<{ contract: LiveContract; dueMs: number }> {
  const [first] = orderable(contract);
  const dueMs = first ? (orderAgainMs(contract, first) ?? 0) : Number.POSITIVE_INFINITY;
  return { contract, dueMs };
}

async function orderOf(
  deps: Deps,
  { contract: { metadata }, agentUID }: Readonly<{ contract: LiveContract; agentUID: string }>,
): Promise<WorkItem[]> {
  const live = await deps.clients.contracts.get(metadata);
  if (!live || live.metadata.uid !== metadata.uid || !isLive(live)) return [];
  if (live.status.instance?.agentUID !== agentUID) return [];
  const [wish] = orderable(live);
  if (!wish) return [];
  const script = wish.wish === 'Reinstall' ? await scriptOf(deps, live) : undefined;
  const { namespace = '' } = metadata;
  const pool = deps.caches.pools.get({ namespace, name: live.status.pool ?? '' });
  return [wishItem(live, { wish, pending: presentPending(live, { pool, script }) })];
}
