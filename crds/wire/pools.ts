/** Pools, setup tokens and the joining of an agent. */
import { z } from 'zod';
import { Permission } from '../agent.ts';
import { Rate } from '../agent-pool.ts';
import { Capacity } from '../capacity.ts';
import { Condition } from '../condition.ts';
import { count, instant, name, provisionerType, publicKey, text } from '../fields.ts';
import { REGIONS } from '../regions.ts';
import { PoolSettings } from './pool-settings.ts';

export const CreatePoolRequest = z.strictObject({
  name: z.string().min(1).max(100).describe('Name; the pool id is made from it.'),
  location: z.enum(REGIONS).describe('One of the seven regions.'),
  provisionerType: provisionerType().describe('What its agents build with.'),
});

export const PoolView = z.object({
  poolId: name().describe('Name of the AgentPool object.'),
  displayName: text(100).describe('Name for people.'),
  location: z.enum(REGIONS).describe('Region.'),
  provisionerType: provisionerType().describe('What its agents build with.'),
  providerPubkey: publicKey().describe('Key of the provider.'),
  createdAt: instant().describe('When it was made.'),
  agents: count().describe('Agents that joined.'),
  online: count().describe('Agents whose heartbeat is fresh.'),
  activeContracts: count().describe('Contracts held in this pool.'),
  waitingContracts: count().describe('Accepted contracts that wait for an agent of this pool.'),
  free: Capacity.describe('What may still be promised, over the agents that take work.'),
  attempts24h: Rate.describe('How the attempts of the last 24 hours of its agents ended.'),
  successRate24h: z
    .number()
    .nullable()
    .describe('Share of those that succeeded, 0 to 1; null while there is none.'),
  ready: z.boolean().describe('Can something be built in it.'),
  message: z.string().nullable().describe('Why it is ready, or not.'),
  conditions: z
    .array(Condition)
    .describe('Judgements about it: what of it is in service, which fallbacks are never asked.'),
  settings: PoolSettings.describe('What its provider wants of it.'),
});
export type PoolView = z.infer<typeof PoolView>;

export const CreateSetupTokenRequest = z.strictObject({
  label: z.string().min(1).max(100).optional().describe('Name of the agent to come.'),
  expiresInHours: z.int().min(1).max(168).default(24).describe('How long it can be used. Hours.'),
});

export const CreatedSetupToken = z.object({
  token: z.string().describe('The secret, shown this once.'),
  tokenId: name().describe('Id to delete it by.'),
  poolId: name().describe('Pool that the agent joins.'),
  label: text(100).nullable().describe('Name of the agent to come.'),
  expiresAt: instant().describe('Until when it can be used.'),
  setupCommand: z.string().describe('What to run on the new host.'),
});
export type CreatedSetupToken = z.infer<typeof CreatedSetupToken>;

export const SetupTokenView = z.object({
  tokenId: name().describe('Id to delete it by.'),
  prefix: z.string().describe('First characters of the secret.'),
  poolId: name().describe('Pool.'),
  label: text(100).nullable().describe('Name of the agent to come.'),
  createdAt: instant().describe('When it was made.'),
  expiresAt: instant().describe('Until when it can be used.'),
  usedAt: instant().nullable().describe('When it was used.'),
  usedByAgent: publicKey().nullable().describe('Key of the agent that used it.'),
});
export type SetupTokenView = z.infer<typeof SetupTokenView>;

export const AgentSetupRequest = z.strictObject({
  token: z.string().min(8).max(128).describe('The setup token.'),
  agentPubkey: publicKey().describe(
    "The agent's new public key; the request is signed with its private half.",
  ),
});

export const Delegation = z.object({
  providerPubkey: publicKey().describe('Who delegates.'),
  agentPubkey: publicKey().describe('To whom.'),
  poolId: name().describe('Pool.'),
  permissions: z.array(Permission).describe('What it may do.'),
  issuedAt: instant().describe('When.'),
});

export const AgentSetupResponse = z.object({
  providerPubkey: publicKey().describe('Key of the provider: part of every path that the agent calls.'),
  poolId: name().describe('Pool that was joined.'),
  poolName: text(100).describe('Its name for people.'),
  poolLocation: z.enum(REGIONS).describe('Its region.'),
  provisionerType: provisionerType().describe('What the agent is to build with.'),
  permissions: z.array(Permission).describe('What it may ask for.'),
  agentName: name().describe('Name of the Agent object.'),
  agentUid: z.string().describe('UID of the Agent object: tag of its machines.'),
  installation: z.string().describe('Id of this dcmarket installation: tag of its machines.'),
  delegation: Delegation,
  delegationSignature: z
    .string()
    .describe('Ed25519 over the JSON of `delegation` by the installation key, hex.'),
});
export type AgentSetupResponse = z.infer<typeof AgentSetupResponse>;

export const AgentView = z.object({
  agentName: name().describe('Name of the Agent object.'),
  agentPubkey: publicKey().describe('Its key.'),
  label: text(100).nullable().describe('Name for people.'),
  poolId: name().describe('Its pool.'),
  permissions: z.array(Permission).describe('What it may ask for.'),
  online: z.boolean().describe('Is its heartbeat fresh.'),
  version: z.string().nullable().describe('Version of dc-agent.'),
  activeContracts: count().describe('Contracts that it holds.'),
  free: Capacity.describe('What may still be promised of it; what is missing is not known, or has no end.'),
  lastSeenAt: instant().nullable().describe('Last heartbeat.'),
  cordoned: z.boolean().describe('Gets no new work.'),
  draining: z.boolean().describe('Is to be emptied.'),
  revoked: z.boolean().describe('Its key is dead.'),
  problem: z
    .object({ reason: z.string(), message: z.string() })
    .nullable()
    .describe('What is wrong with it, e.g. DuplicateAgent.'),
});
export type AgentView = z.infer<typeof AgentView>;
