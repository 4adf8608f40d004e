/** Who calls, as found by `authenticate.ts`, and how a handler asks for it. */
import type { FastifyRequest } from 'fastify';
import type { Agent, Permission } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { Provider } from '../../crds/provider.ts';
import { invariant } from '../../lib/assert.ts';

/** Who may call a route. Key: anybody with a key (a tenant, or an agent that is about to join). */
export type Access =
  | Readonly<{ as: 'Anyone' }>
  | Readonly<{ as: 'Key' }>
  | Readonly<{ as: 'Provider' }>
  | Readonly<{ as: 'Agent'; permission: Permission }>;

export type Caller =
  | Readonly<{ as: 'Anyone' }>
  | Readonly<{ as: 'Key'; publicKey: string; nonce: string }>
  | Readonly<{ as: 'Provider'; publicKey: string; nonce: string; provider: Provider }>
  | Readonly<{
      as: 'Agent';
      publicKey: string;
      nonce: string;
      provider: Provider;
      agent: Agent;
      pool: AgentPool;
    }>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, before JSON was parsed: what was signed. */
    rawBody: Buffer;
    caller: Caller;
  }
  interface FastifyContextConfig {
    access?: Access;
  }
}

export type KeyCaller = Exclude<Caller, { as: 'Anyone' }>;
export type ProviderCaller = Extract<Caller, { as: 'Provider' }>;
export type AgentCaller = Extract<Caller, { as: 'Agent' }>;

export function keyCaller({ caller }: FastifyRequest): KeyCaller {
  invariant(caller.as !== 'Anyone', 'the route asks for a key');
  return caller;
}

export function providerCaller({ caller }: FastifyRequest): ProviderCaller {
  invariant(caller.as === 'Provider', 'the route asks for a provider');
  return caller;
}

export function agentCaller({ caller }: FastifyRequest): AgentCaller {
  invariant(caller.as === 'Agent', 'the route asks for an agent');
  return caller;
}

export const ANYONE = { access: { as: 'Anyone' } } as const satisfies { access: Access };
export const TENANT = { access: { as: 'Key' } } as const satisfies { access: Access };
export const PROVIDER = { access: { as: 'Provider' } } as const satisfies { access: Access };
export const agentWith = (permission: Permission): { access: Access } => ({
  access: { as: 'Agent', permission },
});
