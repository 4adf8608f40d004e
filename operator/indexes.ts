/** How the operator finds objects in its caches without walking over them. Each name is an index; pure. */
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import { type Contract, isLive } from '../crds/contract/contract.ts';
import { demandKeys } from '../crds/contract/eligibility.ts';
import { hasEnded } from '../crds/contract/phase.ts';
import { wantsRetry } from '../crds/contract/retry.ts';
import type { KubeObject } from '../kube/object.ts';

/** `namespace/name` of another object. */
const inNamespace = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

const namespaceOf = ({ metadata }: KubeObject): string[] => [metadata.namespace ?? ''];

/** What was deleted and is kept while it is used: any change around it makes one look again. */
const deletedIn = ({ metadata }: KubeObject): string[] =>
  metadata.deletionTimestamp ? [metadata.namespace ?? ''] : [];

/** Contracts of one tenant that are to stay apart from each other, while somebody may have a machine of them. */
export const companionsOf = ({ metadata, spec }: Pick<Contract, 'metadata' | 'spec'>): string | undefined =>
  spec.antiAffinity && `${metadata.namespace ?? ''}/${spec.tenant.publicKey}/${spec.antiAffinity.group}`;

export const INDEXES = {
  pools: { namespace: namespaceOf, deleted: deletedIn },
  agents: {
    namespace: namespaceOf,
    pool: ({ metadata, spec }: Agent) => [inNamespace(metadata.namespace, spec.poolName)],
    uid: ({ metadata }: Agent) => [metadata.uid ?? ''],
  },
  contracts: {
    phase: ({ status }: Contract) => (status ? [status.phase] : []),
    waiting: (contract: Contract) => (contract.status?.phase === 'Accepted' ? demandKeys(contract) : []),
    /** By the reason for which nobody can build what is accepted. */
    unschedulable: ({ status }: Contract) =>
      status?.phase === 'Accepted' && status.scheduling ? [status.scheduling.reason] : [],
    requested: (contract: Contract) =>
      !isLive(contract) || contract.status.phase === 'Requested' || wantsRetry(contract)
        ? namespaceOf(contract)
        : [],
    offering: ({ metadata, spec, status }: Contract) =>
      status && !hasEnded(status.phase) ? [inNamespace(metadata.namespace, spec.offering.name)] : [],
    /** By the offering whose price decides about hours that are added. */
    priced: ({ metadata, spec, status }: Contract) =>
      status?.agreedHours !== undefined && !hasEnded(status.phase)
        ? [inNamespace(metadata.namespace, spec.offering.name)]
        : [],
    heldIn: ({ metadata, status }: Contract) =>
      status?.pool && !hasEnded(status.phase) ? [inNamespace(metadata.namespace, status.pool)] : [],
    holder: ({ status }: Contract) => [...new Set((status?.holders ?? []).map(({ agentUID }) => agentUID))],
    companions: (contract: Contract) => {
      const group = contract.status?.holders?.length ? companionsOf(contract) : undefined;
      return group === undefined ? [] : [group];
    },
  },
} as const satisfies Readonly<{
  pools: Readonly<Record<string, (pool: AgentPool) => string[]>>;
  agents: Readonly<Record<string, (agent: Agent) => string[]>>;
  contracts: Readonly<Record<string, (contract: Contract) => string[]>>;
}>;
