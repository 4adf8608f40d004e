/** All resources of the group, in the order in which they are installed. */
import { agentDefinition } from './agent.ts';
import { agentPoolDefinition } from './agent-pool.ts';
import { contractDefinition } from './contract/definition.ts';
import { offeringDefinition } from './offering.ts';
import { providerDefinition } from './provider.ts';
import { recipeDefinition } from './recipe.ts';
import type { ResourceDefinition } from './resource.ts';
import { setupTokenDefinition } from './setup-token.ts';

export const RESOURCES = [
  providerDefinition,
  agentPoolDefinition,
  agentDefinition,
  setupTokenDefinition,
  recipeDefinition,
  offeringDefinition,
  contractDefinition,
] as const satisfies readonly ResourceDefinition[];
