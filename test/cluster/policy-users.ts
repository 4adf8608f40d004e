/** Users of the API server's own, for the tests of who may do what: made by an administrator, bound in one namespace. */
import { inject } from 'vitest';
import { GROUP } from '../../crds/group.ts';
import { FORCE_RELEASE_VERB, STATUS_WRITERS } from '../../crds/policies.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import { addTestUser, inNamespace } from '../world/cluster.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const API_GROUP = 'rbac.authorization.k8s.io';

export type PolicyUsers = Readonly<{
  admin: KubeClient;
  namespace: string;
  /** Both may edit contracts, their status, and what they are sold from, as far as RBAC goes; `breaker` may force. */
  as: (user: 'editor' | 'breaker') => KubeClient;
  close: () => Promise<void>;
}>;

export async function openUsers(prefix: string): Promise<PolicyUsers> {
  const admin = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  const namespace = await inNamespace(prefix);
  const post = (path: string, body: object) => admin.raw({ method: 'POST', path: `${RBAC}/${path}`, body });
  const clients = new Map<string, KubeClient>();
  const users = [
    { name: 'editor', verbs: [] },
    { name: 'breaker', verbs: [FORCE_RELEASE_VERB] },
  ];
  for (const { name, verbs } of users) {
    const edits = ['get', 'create', 'update'];
    const rules = [
      { apiGroups: [GROUP], resources: ['contracts', 'contracts/status'], verbs: [...edits, ...verbs] },
      { apiGroups: [GROUP], resources: ['agentpools', 'offerings', 'agents'], verbs: edits },
    ];
    await post(`namespaces/${namespace}/roles`, { metadata: { name }, rules });
    // What runs in the cluster may edit the same; only policies tell it from a person.
    const services = name === 'editor' ? STATUS_WRITERS : [];
    await post(`namespaces/${namespace}/rolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: API_GROUP, kind: 'Role', name },
      subjects: [name, ...services].map((user) => ({ apiGroup: API_GROUP, kind: 'User', name: user })),
    });
    clients.set(name, createKubeClient({ kubeconfig: { file: await addTestUser({ name }) } }));
  }
  return {
    admin,
    namespace,
    as: (user) => {
      const client = clients.get(user);
      if (!client) throw new Error(`nobody is called ${user}`);
      return client;
    },
    close: async () => {
      for (const client of [admin, ...clients.values()]) await client.close();
    },
  };
}

/** `taken`, or the refusal with its status. */
export const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof KubeError ? `${error.status} ${error.message}` : String(error)),
  );
