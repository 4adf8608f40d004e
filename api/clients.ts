/** Typed clients for what the facade reads and writes: our own kinds and the few built-in ones. */
import { type Agent, agentDefinition } from '../crds/agent.ts';
import { type AgentPool, agentPoolDefinition } from '../crds/agent-pool.ts';
import type { Contract } from '../crds/contract/contract.ts';
import { contractDefinition } from '../crds/contract/definition.ts';
import { type Offering, offeringDefinition } from '../crds/offering.ts';
import { type Provider, providerDefinition } from '../crds/provider.ts';
import { type Recipe, recipeDefinition } from '../crds/recipe.ts';
import { resourceTypeOf } from '../crds/resource.ts';
import { type SetupToken, setupTokenDefinition } from '../crds/setup-token.ts';
import type { KubeClient } from '../kube/client.ts';
import { type ConfigMap, configMapsOf } from '../kube/config-map.ts';
import { LEASES } from '../kube/lease.ts';
import type { KubeObject, ObjectMeta } from '../kube/object.ts';
import type { ResourceClient, ResourceType } from '../kube/resource.ts';

/** `coordination.k8s.io/v1`, as far as a heartbeat uses it. */
export type Lease = KubeObject &
  Readonly<{
    kind: string;
    metadata: ObjectMeta;
    spec: Readonly<{ holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string }>;
  }>;

export type Secret = KubeObject & Readonly<{ type?: string; data?: Readonly<Record<string, string>> }>;

export type Clients = Readonly<{
  providers: ResourceClient<Provider>;
  pools: ResourceClient<AgentPool>;
  agents: ResourceClient<Agent>;
  tokens: ResourceClient<SetupToken>;
  offerings: ResourceClient<Offering>;
  recipes: ResourceClient<Recipe>;
  contracts: ResourceClient<Contract>;
  leases: ResourceClient<Lease>;
  secrets: ResourceClient<Secret>;
  configMaps: ResourceClient<ConfigMap>;
  namespaces: ResourceClient<KubeObject>;
  /** Answers who asks. */
  selfReviews: ResourceClient<KubeObject>;
}>;

const SECRET: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
};
const NAMESPACE: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

const SELF_REVIEW: ResourceType = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

export const createClients = (kube: KubeClient): Clients => ({
  providers: kube.resource<Provider>(resourceTypeOf(providerDefinition)),
  pools: kube.resource<AgentPool>(resourceTypeOf(agentPoolDefinition)),
  agents: kube.resource<Agent>(resourceTypeOf(agentDefinition)),
  tokens: kube.resource<SetupToken>(resourceTypeOf(setupTokenDefinition)),
  offerings: kube.resource<Offering>(resourceTypeOf(offeringDefinition)),
  recipes: kube.resource<Recipe>(resourceTypeOf(recipeDefinition)),
  contracts: kube.resource<Contract>(resourceTypeOf(contractDefinition)),
  leases: kube.resource<Lease>(LEASES),
  secrets: kube.resource<Secret>(SECRET),
  configMaps: configMapsOf(kube),
  namespaces: kube.resource<KubeObject>(NAMESPACE),
  selfReviews: kube.resource<KubeObject>(SELF_REVIEW),
});
