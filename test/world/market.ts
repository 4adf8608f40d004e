/** A provider with a pool, agents and contracts, made directly on the API server: the stage of races and load. */
import type { Agent } from '../../crds/agent.ts';
import { someTerms } from '../../crds/contract/builders.ts';
import { type Contract, contractIdOf } from '../../crds/contract/contract.ts';
import { API_VERSION, FINALIZER, GROUP, LABEL, labelOfKey, VERSION } from '../../crds/group.ts';
import { RESOURCES } from '../../crds/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { generateKeyPair, type KeyPair } from '../../lib/signature/keys.ts';

export type Stage = Readonly<{
  namespace: string;
  provider: KeyPair;
  contracts: ResourceClient<Contract>;
  agents: ResourceClient<Agent>;
  /** An Agent of the pool for each key. */
  addAgents: (keys: readonly KeyPair[]) => Promise<readonly Agent[]>;
  /** Contracts that wait for an agent, as the operator leaves them. */
  addWaiting: (count: number, prefix: string, more?: object) => Promise<readonly Contract[]>;
}>;

export const POOL = 'europe-script';

export function resourceOf<T extends KubeObject>(client: KubeClient, kind: string): ResourceClient<T> {
  const definition = RESOURCES.find((entry) => entry.kind === kind);
  if (!definition) throw new Error(`there is no resource ${kind}`);
  const { plural, scope } = definition;
  return client.resource<T>({
    group: GROUP,
    version: VERSION,
    plural,
    kind,
    namespaced: scope === 'Namespaced',
  });
}

export async function setStage(client: KubeClient, namespace: string): Promise<Stage> {
  const provider = generateKeyPair();
  const make = <T extends KubeObject>(
    kind: string,
    name: string,
    spec: object,
    more: object = {},
  ): Promise<T> =>
    resourceOf<T>(client, kind).create({
      apiVersion: API_VERSION,
      kind,
      metadata: { name, namespace, ...more },
      spec,
    } as unknown as T);
  const providers = resourceOf<KubeObject & { status?: object }>(client, 'Provider');
  const made = await providers.create({
    apiVersion: API_VERSION,
    kind: 'Provider',
    metadata: { name: namespace },
    spec: { publicKey: provider.publicKey, displayName: 'Race', namespace },
  } as unknown as KubeObject & { status?: object });
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Ready',
    message: 'It may sell',
    lastTransitionTime: new Date().toISOString(),
  };
  await providers.updateStatus({ ...made, status: { conditions: [ready] } });
  // Who races here takes whatever it gets, and builds nothing.
  const placement = { buildsPerAgent: 10_000 };
  await make('AgentPool', POOL, { location: 'europe', provisionerType: 'script', placement });
  const contracts = resourceOf<Contract>(client, 'Contract');
  return {
    namespace,
    provider,
    contracts,
    agents: resourceOf<Agent>(client, 'Agent'),
    addAgents: (keys) =>
      Promise.all(
        keys.map(({ publicKey }, index) =>
          make<Agent>(
            'Agent',
            `agent-${index}`,
            { publicKey, poolName: POOL, label: `agent-${index}` },
            {
              labels: { [LABEL.agentKey]: labelOfKey(publicKey), [LABEL.pool]: POOL },
            },
          ),
        ),
      ),
    addWaiting: (count, prefix, more = {}) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const spec = {
            offering: { name: 'hello' },
            tenant: { publicKey: provider.publicKey },
            sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA race'],
            durationHours: 24,
            termsSnapshot: someTerms(),
            ...more,
          };
          const contract = await make<Contract>('Contract', `${prefix}-${index}`, spec, {
            finalizers: [FINALIZER],
          });
          return contracts.updateStatus({
            ...contract,
            status: { phase: 'Accepted', epoch: 0, reason: 'AwaitingAgent' },
          } as Contract);
        }),
      ),
  };
}

export const idOf = ({ metadata }: KubeObject): string => contractIdOf(metadata.uid ?? '');
