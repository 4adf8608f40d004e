/** What a provider can do with an agent, as changes of its spec: the same that YAML would say. */
import type { Agent } from '../../crds/agent.ts';
import type { MaintenanceWindow } from '../../crds/maintenance.ts';
import { isConflict } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';
import { agentNotFound, busy } from '../http/refusals.ts';

const WRITES_MAX = 5;

export type Change = (spec: Agent['spec']) => Agent['spec'];

/** Why, and the name of who asks. */
type Cordon = Readonly<{ reason?: string | undefined; by: string }>;

/** Asked again without a reason it keeps the one that it has; one that is left from an earlier time goes. */
export const cordoned =
  ({ reason, by }: Cordon): Change =>
  ({ cordonReason, cordonedBy, ...spec }) => {
    const isAgain = spec.cordoned || spec.draining;
    const why = reason ?? (isAgain ? cordonReason : undefined);
    const who = isAgain && reason === undefined ? cordonedBy : by;
    return {
      ...{ ...spec, cordoned: true },
      ...(why ? { cordonReason: why } : {}),
      ...(who ? { cordonedBy: who } : {}),
    };
  };

/** Asked again without a deadline, it has none any more. */
export const drained =
  ({ deadlineAt, ...cordon }: Cordon & Readonly<{ deadlineAt?: string | undefined }>): Change =>
  ({ drainBy, ...spec }) => ({
    ...cordoned(cordon)(spec),
    draining: true,
    ...(deadlineAt ? { drainBy: deadlineAt } : {}),
  });

export const uncordoned: Change = ({ cordonReason, cordonedBy, drainBy, ...spec }) => ({
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
