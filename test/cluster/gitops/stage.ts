/** A namespace with an operator that sees to it, and kubectl: what a test of GitOps works with. */
import { inject } from 'vitest';
import { type Clients, createClients } from '../../../api/clients.ts';
import type { Condition } from '../../../crds/condition.ts';
import { aHolder } from '../../../crds/contract/builders.ts';
import { withReady } from '../../../crds/contract/move.ts';
import { createKubeClient, type KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { createDatabase, inNamespace } from '../../world/cluster.ts';
import { eventually } from '../../world/eventually.ts';
import { createKubectl, type Kubectl } from '../../world/kubectl.ts';
import { resourceOf } from '../../world/market.ts';
import { startOperator } from '../../world/operator.ts';
import { EXAMPLES } from '../examples.ts';
import { statusIn, wayTo } from '../phases.ts';

export type Stage = Readonly<{
  namespace: string;
  client: KubeClient;
  clients: Clients;
  kubectl: Kubectl;
  /** The example of a kind under a name. A Provider gets a key of its own. */
  make: <T extends KubeObject>(kind: string, name: string, spec?: object, metadata?: object) => Promise<T>;
  close: () => Promise<void>;
}>;

export async function openStage(prefix: string): Promise<Stage> {
  const namespace = await inNamespace(prefix);
  const client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  const database = await createDatabase();
  const stopOperator = startOperator({
    kubeconfig: inject('kubeconfig'),
    databaseUrl: database.url,
    namespace,
  });
  const { kubectl, close } = createKubectl();
  return {
    namespace,
    client,
    clients: createClients(client),
    kubectl,
    make: <T extends KubeObject>(kind: string, name: string, spec: object = {}, metadata: object = {}) => {
      const own = kind === 'Provider' ? { publicKey: generateKeyPair().publicKey, namespace } : {};
      return resourceOf<T>(client, kind).create({
        ...EXAMPLES[kind],
        metadata: { name, namespace, ...metadata },
        spec: { ...EXAMPLES[kind]?.spec, ...own, ...spec },
      } as unknown as T); // the example is one, but for what the API server fills in
    },
    close: async () => {
      await stopOperator();
      await client.close();
      await database.drop();
      close();
    },
  };
}

type Conditioned = Readonly<{
  status?: Readonly<{ conditions?: readonly Condition[] | undefined }> | undefined;
}>;

export const conditionOf = (object: Conditioned | undefined, type: string): Condition | undefined =>
  object?.status?.conditions?.find((condition) => condition.type === type);

/** An accepted contract, built: as a facade and an operator would write it. The operator of the stage looks on. */
export async function becomeActive({ clients, namespace }: Stage, name: string): Promise<void> {
  const at = new Date().toISOString();
  for (const phase of wayTo('Active').slice(1)) {
    const { lock, ...status } = { ...statusIn(phase), holders: [aHolder(1, 1)], startsAt: at };
    const fresh = lock && { lock: { ...lock, renewedAt: at } };
    // Again when the operator wrote in between.
    await eventually(async () => {
      const current = await clients.contracts.get({ namespace, name });
      if (!current) throw new Error(`there is no contract ${name}`);
      const observedGeneration = current.metadata.generation ?? 1;
      const reached = phase === 'Active' ? REACHED : {};
      const next = withReady({ ...status, ...fresh, ...reached, observedGeneration }, new Date());
      await clients.contracts.updateStatus({ ...current, status: next });
    });
  }
}

const REACHED = {
  access: { host: '192.0.2.10', port: 22, user: 'root', hostKeyFingerprint: `SHA256:${'A'.repeat(43)}` },
  endpoint: '192.0.2.10:22',
};
