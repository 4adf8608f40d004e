/** How many machines of no contract an agent has, on its Agent: written when the figures change, not before. */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Agent } from '../../crds/agent.ts';
import type { ReconcileRequest } from '../../crds/wire/reconcile.ts';
import { isConflict, isNotFound } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';

type Noting = Readonly<{
  agent: Agent;
  count: number;
  /** As the agent said it; the reference agent says nothing. */
  said: z.infer<typeof ReconcileRequest>['orphans'];
}>;

export async function noteOrphans(deps: Deps, { agent, count, said }: Noting): Promise<void> {
  const current = deps.caches.agents.byUid(agent.metadata.uid ?? '') ?? agent;
  const orphans = { count, stopped: Math.min(said?.stopped ?? 0, count), waiting: said?.waiting ?? 0 };
  const known = current.status?.orphans;
  if (isDeepStrictEqual(orphans, known) || (count === 0 && known === undefined)) return;
  const { orphans: _known, ...rest } = current.status ?? {};
  const status = count === 0 ? rest : { ...rest, orphans };
  try {
    await deps.clients.agents.updateStatus({ ...current, status });
  } catch (error) {
    // Somebody wrote in between, or it is gone: the next inventory says it again.
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}
