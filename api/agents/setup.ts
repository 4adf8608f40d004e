/**
 * A new agent joins: token → compare-and-swap on the token's status (only one key ever uses it) → Agent object.
 * A crash between the two heals: the same key comes again and meets its own claim. Same key, same answer.
 */
import { sign } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type Agent, PERMISSIONS } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { isTrue, withCondition } from '../../crds/condition.ts';
import { LABEL, labelOfKey } from '../../crds/group.ts';
import { Problem } from '../../crds/problem.ts';
import type { Provider } from '../../crds/provider.ts';
import type { SetupToken } from '../../crds/setup-token.ts';
import { AgentSetupRequest, AgentSetupResponse } from '../../crds/wire/pools.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/error.ts';
import { privateKeyObject } from '../../lib/signature/keys.ts';
import { keyCaller, TENANT } from '../auth/caller.ts';
import { isReady } from '../auth/identify.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { busy } from '../http/refusals.ts';
import { nameFrom } from '../names.ts';
import { secretHash } from '../pools/token-routes.ts';
import { untilCached, WAKE } from '../wake.ts';

const WRITES_MAX = 5;
const NAME_LONGEST = 52;
/** Condition of a token whose Agent was made. */
const JOINED = 'Joined';

export const setupRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'POST',
    url: '/agents/setup',
    config: TENANT,
    schema: {
      summary: "Join a pool with a setup token; signed with the agent's new key",
      tags: ['agents'],
      body: AgentSetupRequest,
      response: answers(AgentSetupResponse),
    },
    handler: async (request) => {
      const { token: secret, agentPubkey } = request.body;
      if (keyCaller(request).publicKey !== agentPubkey)
        throw new Problem(
          'SignatureInvalid',
          'The request is not signed with the key that agentPubkey names.',
          {
            next: "Sign it with the agent's new key: that proves that you have it.",
          },
        );
      return ok(await setUp(deps, { secret, key: agentPubkey }));
    },
  });
};

async function setUp(
  deps: Deps,
  { secret, key }: Readonly<{ secret: string; key: string }>,
): Promise<AgentSetupResponse> {
  const token = await findToken(deps, secretHash(secret));
  const { provider, pool } = await poolOf(deps, token);
  await refuseKnownKey(deps, { token, key });
  const claimed = await claimToken(deps, { token, key });
  const agent = await ensureAgent(deps, { token: claimed, key });
  await noteJoined(deps, claimed);
  // Its first heartbeat follows at once, and the watch that names its key is a moment behind.
  await untilCached(deps, { keys: [WAKE.key(key)], isThere: () => deps.caches.agents.byKey(key).length > 0 });
  return answer(deps, { provider, pool, agent, claimedAt: claimed.status?.usedAt ?? '' });
}

/** The cache first; a token that was made a moment ago through another facade is found live. */
async function findToken(deps: Deps, sha256: string): Promise<SetupToken> {
  const cached = deps.caches.tokens.bySecretHash(sha256);
  const found =
    cached ??
    (await deps.clients.tokens.list({ fieldSelector: `spec.secretSHA256=${sha256}`, limit: 1 })).items[0];
  if (found) return found;
  throw new Problem('SetupTokenNotFound', 'This setup token does not exist.', {
    next: 'Check that it was copied whole, or make a new one: `dcm token create POOL`.',
  });
}

async function poolOf(
  deps: Deps,
  { metadata, spec }: SetupToken,
): Promise<{ provider: Provider; pool: AgentPool }> {
  const namespace = metadata.namespace ?? '';
  const provider = deps.caches.providers.byNamespace(namespace).find(isReady);
  const pool = await deps.clients.pools.get({ namespace, name: spec.poolName });
  if (provider && pool && !pool.metadata.deletionTimestamp) return { provider, pool };
  throw new Problem('SetupTokenNotFound', 'The pool of this setup token does not exist any more.', {
    next: 'Make a token of another pool.',
  });
}

/** A key belongs to one agent for good; the same token with the same key is a repeat. */
async function refuseKnownKey(
  deps: Deps,
  { token, key }: Readonly<{ token: SetupToken; key: string }>,
): Promise<void> {
  const { items } = await deps.clients.agents.list({ fieldSelector: `spec.publicKey=${key}` });
  if (items.length === 0) return;
  const live = await deps.clients.tokens.get(token.metadata); // the cache may not know of a use a moment ago
  const isRepeat = live?.status?.usedByKey === key;
  const other = items.find(({ spec }) => spec.revoked || !isRepeat);
  if (!other) return;
  const what = other.spec.revoked ? 'belonged to an agent that was revoked' : 'belongs to an agent already';
  throw new Problem('AlreadyExists', `This key ${what} (${other.metadata.name}).`, {
    next: 'Remove the key file and run setup again: it makes a new key.',
  });
}

async function claimToken(
  deps: Deps,
  { token, key }: Readonly<{ token: SetupToken; key: string }>,
): Promise<SetupToken> {
  let current = token;
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const now = deps.clock.now();
    const { status, spec } = current;
    if (status?.usedByKey === key) return current;
    if (status?.usedByKey) throw tokenUsed(current, now);
    if (Date.parse(spec.expiresAt) <= now.getTime())
      throw new Problem('SetupTokenExpired', `This setup token expired at ${spec.expiresAt}.`, {
        next: 'Make a new one: `dcm token create POOL`.',
      });
    try {
      const used = { usedAt: now.toISOString(), usedByKey: key, agentName: agentName(current, key) };
      return await deps.clients.tokens.updateStatus({ ...current, status: { ...status, ...used } });
    } catch (error) {
      if (!isConflict(error)) throw error;
      const live = await deps.clients.tokens.get(current.metadata);
      if (!live) throw tokenDeleted();
      current = live;
    }
  }
  throw busy();
}

function tokenUsed({ status }: SetupToken, now: Date): Problem {
  const key = status?.usedByKey ?? '';
  const minutes = Math.max(0, Math.round((now.getTime() - Date.parse(status?.usedAt ?? '')) / 60_000));
  const ago =
    minutes === 0
      ? 'a moment ago'
      : minutes < 120
        ? `${minutes} minutes ago`
        : `${Math.round(minutes / 60)} h ago`;
  const who = `${key.slice(0, 4)}…${key.slice(-4)} (${status?.agentName ?? 'unnamed'})`;
  return new Problem('SetupTokenUsed', `This token was used ${ago} by key ${who}.`, {
    next: 'Make a new one: `dcm token create POOL`.',
  });
}

/** From the label where there is one; the key's first characters tell namesakes apart. */
function agentName({ spec }: SetupToken, key: string): string {
  const label = nameFrom(spec.label ?? '', NAME_LONGEST);
  return label === '' ? `agent-${key.slice(0, 8)}` : label;
}

/** Makes the Agent, or finds the one that an interrupted set-up made. */
async function ensureAgent(
  deps: Deps,
  { token, key }: Readonly<{ token: SetupToken; key: string }>,
): Promise<Agent> {
  const namespace = token.metadata.namespace ?? '';
  const first = token.status?.agentName ?? agentName(token, key);
  const { poolName, label } = token.spec;
  for (const name of [first, `${first.slice(0, NAME_LONGEST)}-${key.slice(0, 8)}`]) {
    const there = await deps.clients.agents.get({ namespace, name });
    if (there?.spec.publicKey === key) return there;
    if (there) continue; // a namesake with another key
    await refuseRejoin(deps, token);
    const metadata = {
      namespace,
      name,
      labels: { [LABEL.pool]: poolName, [LABEL.agentKey]: labelOfKey(key) },
    };
    const spec = {
      publicKey: key,
      poolName,
      permissions: [...PERMISSIONS],
      cordoned: false,
      draining: false,
    };
    try {
      return await deps.clients.agents.create({
        metadata,
        spec: { ...spec, revoked: false, ...(label ? { label } : {}) },
      });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const raced = await deps.clients.agents.get({ namespace, name });
      if (raced?.spec.publicKey === key) return raced;
    }
  }
  throw busy();
}

/** From then on the token makes no Agent again. Not written: an Agent that is deleted could join once more. */
async function noteJoined(deps: Deps, token: SetupToken): Promise<void> {
  if (isTrue(token.status?.conditions, JOINED)) return;
  const next = { type: JOINED, status: 'True', reason: JOINED, message: 'Its agent was made' } as const;
  const conditions = withCondition(token.status?.conditions, { next, now: deps.clock.now() });
  try {
    await deps.clients.tokens.updateStatus({ ...token, status: { ...token.status, conditions } });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error; // a repeat of this call was faster
  }
}

/** Who deletes an Agent is rid of it: its key and its used token do not bring it back. */
async function refuseRejoin(deps: Deps, { metadata }: SetupToken): Promise<void> {
  const live = await deps.clients.tokens.get(metadata);
  if (!live) throw tokenDeleted();
  if (isTrue(live.status?.conditions, JOINED)) throw tokenUsed(live, deps.clock.now());
}

const tokenDeleted = (): Problem =>
  new Problem('SetupTokenNotFound', 'This setup token was deleted.', { next: 'Make a new one.' });

type Joined = Readonly<{ provider: Provider; pool: AgentPool; agent: Agent; claimedAt: string }>;

async function answer(deps: Deps, { provider, pool, agent, claimedAt }: Joined): Promise<AgentSetupResponse> {
  const installation = await deps.installation();
  const delegation = {
    providerPubkey: provider.spec.publicKey,
    agentPubkey: agent.spec.publicKey,
    poolId: pool.metadata.name,
    permissions: agent.spec.permissions,
    issuedAt: claimedAt,
  };
  const signature = sign(null, Buffer.from(JSON.stringify(delegation)), privateKeyObject(installation.seed));
  return {
    providerPubkey: provider.spec.publicKey,
    poolId: pool.metadata.name,
    poolName: pool.spec.displayName ?? pool.metadata.name,
    poolLocation: pool.spec.location,
    provisionerType: pool.spec.provisionerType,
    permissions: agent.spec.permissions,
    agentName: agent.metadata.name,
    agentUid: agent.metadata.uid ?? '',
    installation: installation.id,
    delegation,
    delegationSignature: signature.toString('hex'),
  };
}
