/** What a provider can do with an agent, as changes of its spec: the same that YAML would say. */
import type { Agent } from '../../crds/agent.ts';
import type { MaintenanceWindow } from '../../crds/maintenance.ts';
import { isConflict } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';
import { agentNotFound, busy } from '../http/refusals.ts';

const WRITES_MAX = 5;

export type Change = (spec: Agent['spec']) => Agent['spec'];

/** Asked again without a reason it keeps the one that it has; one that is left from an earlier time goes. */
export const cordoned =
  (reason: string | undefined): Change =>
  ({ cordonReason: old, ...spec }) => {
    const why = reason ?? (spec.cordoned || spec.draining ? old : undefined);
    return { ...spec, cordoned: true, ...(why ? { cordonReason: why } : {}) };
  };

/** Asked again without a deadline, it has none any more. */
export const drained =
  ({
    reason,
    deadlineAt,
  }: Readonly<{ reason?: string | undefined; deadlineAt?: string | undefined }>): Change =>
  ({ drainBy, ...spec }) => ({
    ...cordoned(reason)(spec),
    draining: true,
    ...(deadlineAt ? { drainBy: deadlineAt } : {}),
  });

export const uncordoned: Change = ({ cordonReason, drainBy, ...spec }) => ({
  ...spec,
  cordoned: false,
  draining: false,
});

export const revoked: Change = (spec) => ({ ...spec, revoked: true });

export const maintained =
  (windows: readonly MaintenanceWindow[]): Change =>
  ({ maintenance, ...spec }) =>
    windows.length === 0 ? spec : { ...spec, maintenance: [...windows] };

type Changing = Readonly<{ namespace: string; agentKey: string; change: Change }>;

/** Throws Problem NotFound, or Conflict when others write all the time. */
export async function changeAgent(deps: Deps, { namespace, agentKey, change }: Changing): Promise<Agent> {
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const agent = await findAgent(deps, { namespace, agentKey });
    try {
      return await deps.clients.agents.update({ ...agent, spec: change(agent.spec) });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw busy();
}

/** A live read: it may have joined a moment ago. Throws Problem NotFound. */
export async function findAgent(
  deps: Deps,
  { namespace, agentKey }: Readonly<{ namespace: string; agentKey: string }>,
): Promise<Agent> {
  const { items } = await deps.clients.agents.list({
    namespace,
    fieldSelector: `spec.publicKey=${agentKey}`,
  });
  const agent = items.find(({ spec }) => !spec.revoked) ?? items[0];
  if (!agent) throw agentNotFound(agentKey);
  return agent;
}
