/** The typed clients and informers of the operator, made once and handed to every reconciler. */
import { type Agent, agentDefinition } from '../crds/agent.ts';
import { type AgentPool, agentPoolDefinition } from '../crds/agent-pool.ts';
import type { Contract } from '../crds/contract/contract.ts';
import { contractDefinition } from '../crds/contract/definition.ts';
import { LABEL } from '../crds/group.ts';
import { type Offering, offeringDefinition } from '../crds/offering.ts';
import { type Provider, providerDefinition } from '../crds/provider.ts';
import { type Recipe, recipeDefinition } from '../crds/recipe.ts';
import { resourceTypeOf } from '../crds/resource.ts';
import { type SetupToken, setupTokenDefinition } from '../crds/setup-token.ts';
import type { KubeClient } from '../kube/client.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import { LEASES } from '../kube/lease.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Observe } from '../kube/observation.ts';
import type { ResourceClient } from '../kube/resource.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { INDEXES } from './indexes.ts';

export type Lease = KubeObject & {
  spec?: { holderIdentity?: string; renewTime?: string; leaseDurationSeconds?: number };
};

export type Clients = Readonly<{
  providers: ResourceClient<Provider>;
  pools: ResourceClient<AgentPool>;
  agents: ResourceClient<Agent>;
  tokens: ResourceClient<SetupToken>;
  offerings: ResourceClient<Offering>;
  recipes: ResourceClient<Recipe>;
  contracts: ResourceClient<Contract>;
}>;

export type Informers = Readonly<{
  providers: Informer<Provider>;
  pools: Informer<AgentPool>;
  agents: Informer<Agent>;
  tokens: Informer<SetupToken>;
  offerings: Informer<Offering>;
  recipes: Informer<Recipe>;
  contracts: Informer<Contract>;
  leases: Informer<Lease>;
}>;

export const leasesOf = (client: KubeClient): ResourceClient<Lease> => client.resource<Lease>(LEASES);

export const createClients = (client: KubeClient): Clients => ({
  providers: client.resource(resourceTypeOf(providerDefinition)),
  pools: client.resource(resourceTypeOf(agentPoolDefinition)),
  agents: client.resource(resourceTypeOf(agentDefinition)),
  tokens: client.resource(resourceTypeOf(setupTokenDefinition)),
  offerings: client.resource(resourceTypeOf(offeringDefinition)),
  recipes: client.resource(resourceTypeOf(recipeDefinition)),
  contracts: client.resource(resourceTypeOf(contractDefinition)),
});

type Wiring = Readonly<{
  client: KubeClient;
  clock: Clock;
  observe: Observe;
  log: Logger;
  /** Undefined: all of them. */
  namespace: string | undefined;
  watchStallMs?: number | undefined;
}>;

export function createInformers(wiring: Wiring, clients: Clients): Informers {
  const { client, clock, observe, log, namespace, watchStallMs: stallMs } = wiring;
  const everywhere = { clock, observe, log, stallMs };
  const base = { ...everywhere, namespace };
  return {
    providers: createInformer({
      ...everywhere, // a rival for a namespace or a key may be anywhere
      resource: clients.providers,
      indexers: {
        namespace: ({ spec }) => [spec.namespace],
        key: ({ spec }) => [spec.publicKey],
      },
    }),
    pools: createInformer({
      ...base,
      resource: clients.pools,
      indexers: INDEXES.pools,
    }),
    agents: createInformer({
      ...base,
      resource: clients.agents,
      indexers: INDEXES.agents,
    }),
    tokens: createInformer({ ...base, resource: clients.tokens, indexers: {} }),
    offerings: createInformer({
      ...base,
      resource: clients.offerings,
      indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
    }),
    recipes: createInformer({ ...base, resource: clients.recipes, indexers: {} }),
    contracts: createInformer({
      ...base,
      resource: clients.contracts,
      indexers: INDEXES.contracts,
    }),
    leases: createInformer({
      ...base,
      resource: leasesOf(client),
      labelSelector: LABEL.agent,
      indexers: { agent: ({ metadata }) => [metadata.labels?.[LABEL.agent] ?? ''] },
    }),
  };
}
