/**
 * What tenants wish of the machines of an agent, as work items: one at a time per contract, each seen in a live
 * read first, because to stop a machine is nothing that a stale cache may order.
 */
import type { Agent } from '../../crds/agent.ts';
import { isLive } from '../../crds/contract/contract.ts';
import { openWishes } from '../../crds/contract/upkeep.ts';
import { wishItem } from '../../crds/wire/wish-item.ts';
import type { WorkItem } from '../../crds/wire/work.ts';
import type { Deps } from '../deps.ts';
import { presentPending, scriptOf } from './pending.ts';

const WISHES_MAX = 16;

export async function wishItems(deps: Deps, { metadata }: Agent): Promise<WorkItem[]> {
  const agentUID = metadata.uid ?? '';
  const wishing = deps.caches.contracts.wishingOf(agentUID).slice(0, WISHES_MAX);
  const items = await Promise.all(
    wishing.map(async (cached): Promise<WorkItem[]> => {
      const live = await deps.clients.contracts.get(cached.metadata);
      if (!live || live.metadata.uid !== cached.metadata.uid || !isLive(live)) return [];
      if (live.status.instance?.agentUID !== agentUID) return [];
      const [wish] = openWishes(live);
      if (!wish) return [];
      const script = wish.wish === 'Reinstall' ? await scriptOf(deps, live) : undefined;
      return [wishItem(live, { wish, pending: presentPending(live, script) })];
    }),
  );
  return items.flat();
}
