/** Whose key it is: a provider's or an agent's, and whether that one may use the path it asks for. */
import type { Agent, Permission } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { isTrue } from '../../crds/condition.ts';
import { Problem } from '../../crds/problem.ts';
import type { Provider } from '../../crds/provider.ts';
import type { Caches } from '../caches.ts';

type Lookup = Readonly<{ caches: Pick<Caches, 'providers' | 'agents' | 'pools'> }>;

export const isReady = ({ status }: Provider): boolean => isTrue(status?.conditions, 'Ready');

/** Whether the operator has looked at it: a new one is judged within a second. */
export const isJudged = ({ status }: Provider): boolean =>
  status?.conditions?.some(({ type }) => type === 'Ready') ?? false;

/** The one provider that may act for a key: of two that claim it, only one is Ready. */
export function readyProviderByKey({ caches }: Lookup, publicKey: string): Provider | undefined {
  return caches.providers.byKey(publicKey).find(isReady);
}

export function identifyProvider(
  deps: Lookup,
  { publicKey, pathKey }: Readonly<{ publicKey: string; pathKey: string }>,
): { provider: Provider } {
  if (publicKey !== pathKey)
    throw new Problem(
      'PermissionDenied',
      'The request is signed with another key than the one in its path.',
      {
        next: 'Sign with the key of the provider that the path names.',
      },
    );
  const provider = readyProviderByKey(deps, publicKey);
  if (provider) return { provider };
  const [known] = deps.caches.providers.byKey(publicKey);
  if (!known)
    throw new Problem('UnknownKey', 'No provider has this key.', {
      next: 'Register the provider first: `dcm provider create`, or apply a Provider with kubectl.',
    });
  throw notReady(known);
}

/** A provider that the operator has not looked at yet is a matter of a second; one that it refused is not. */
function notReady({ metadata, status }: Provider): Problem {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (!ready)
    return new Problem('NotReady', `Provider ${metadata.name} was made a moment ago and is not ready yet.`, {
      next: 'Try again in a second; if it stays, check that the operator runs.',
      retryAfterSeconds: 1,
    });
  return new Problem('PermissionDenied', `Provider ${metadata.name} is not ready: ${ready.message}`, {
    next: 'Correct what the message names; `kubectl describe provider` shows it too.',
  });
}

type AgentFacts = Readonly<{ publicKey: string; pathKey: string; permission: Permission }>;

export function identifyAgent(
  deps: Lookup,
  { publicKey, pathKey, permission }: AgentFacts,
): { provider: Provider; agent: Agent; pool: AgentPool } {
  const known = deps.caches.agents.byKey(publicKey);
  if (known.length === 0) throw unknownAgent();
  const provider = readyProviderByKey(deps, pathKey);
  // Another provider may have made an Agent with the same key: it must not get in the way of this one.
  const here = known.filter(({ metadata }) => metadata.namespace === provider?.spec.namespace);
  const agent = here.find(({ spec }) => !spec.revoked);
  if (!agent && (here.length > 0 || known.every(({ spec }) => spec.revoked))) throw revoked();
  if (!provider || !agent)
    throw new Problem('PermissionDenied', 'This agent does not belong to the provider in the path.', {
      next: 'Use the provider_pubkey that setup wrote to the configuration.',
    });
  const pool = deps.caches.pools.get({ namespace: provider.spec.namespace, name: agent.spec.poolName });
  if (!pool)
    throw new Problem('PermissionDenied', `The pool ${agent.spec.poolName} of this agent does not exist.`, {
      next: 'Join again with a setup token of a pool that exists.',
    });
  if (!agent.spec.permissions.includes(permission))
    throw new Problem(
      'PermissionDenied',
      `Agent ${agent.metadata.name} lacks the permission ${permission}.`,
      {
        next: `Add ${permission} to spec.permissions of the Agent, or do without this call.`,
      },
    );
  return { provider, agent, pool };
}

const revoked = (): Problem =>
  new Problem('AgentRevoked', 'This agent was revoked.', {
    next: 'Stop it; to join again use a new setup token, which makes a new key.',
  });

const unknownAgent = (): Problem =>
  new Problem('UnknownKey', 'No agent has this key.', {
    next: 'Run `dc-agent setup` with a setup token first.',
  });
