/** What a provider can do with an agent, as changes of its spec: the same that YAML would say. */
import type { Agent } from '../../crds/agent.ts';
import type { MaintenanceWindow } from '../../crds/maintenance.ts';
import type { LabelRequest } from '../../crds/wire/agents.ts';
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

/** Null takes a label away; those that are not named stay. */
export const labelled =
  (labels: LabelRequest['labels']) =>
  (agent: Agent): Agent => {
    const all = Object.entries({ ...agent.metadata.labels, ...labels });
    const kept = all.filter((entry): entry is [string, string] => entry[1] !== null);
    return { ...agent, metadata: { ...agent.metadata, labels: Object.fromEntries(kept) } };
  };

type Whose = Readonly<{ namespace: string; agentKey: string }>;

/** Throws Problem NotFound, or Conflict when others write all the time. */
export const changeAgent = (
  deps: Deps,
  { change, ...whose }: Whose & Readonly<{ change: Change }>,
): Promise<Agent> =>
  rewriteAgent(deps, { ...whose, rewrite: (agent) => ({ ...agent, spec: change(agent.spec) }) });

/** The same of more than spec. */
export async function rewriteAgent(
  deps: Deps,
  { namespace, agentKey, rewrite }: Whose & Readonly<{ rewrite: (agent: Agent) => Agent }>,
): Promise<Agent> {
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const agent = await findAgent(deps, { namespace, agentKey });
    try {
      return await deps.clients.agents.update(rewrite(agent));
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
