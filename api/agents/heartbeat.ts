/**
 * The heartbeat: a Lease write, and rarely one of Agent.status. Figures that always move (free memory, free disk)
 * are no reason to write.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Agent } from '../../crds/agent.ts';
import { announcedVersion } from '../../crds/agent-upgrade.ts';
import { HEARTBEAT_MS } from '../../crds/contract/numbers.ts';
import { capacityOf, presentPromised } from '../../crds/placement/capacity.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../crds/wire/heartbeat.ts';
import { isConflict, isNotFound } from '../../kube/error.ts';
import { agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ProviderPath } from '../http/params.ts';
import { hostStatus, isWordsOnly, mayWait } from './host-status.ts';
import { admitSession } from './session.ts';

/** However often an agent says another size, or is ill and well again. */
const NOTED_EVERY_MS = 10_000;
/** However often it says in other words what is wrong. */
const WORDS_EVERY_MS = 5 * 60_000;

/** Against others that write the same Agent; then the next heartbeat says it. */
const WRITES_MAX = 3;

export const heartbeatRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const times: NoteTimes = new Map();
  app.route({
    method: 'POST',
    url: '/providers/:pk/heartbeat',
    config: agentWith('heartbeat'),
    schema: {
      summary: 'Say that the agent is there',
      tags: ['agents'],
      params: ProviderPath,
      body: HeartbeatRequest,
      response: answers(HeartbeatResponse),
    },
    handler: async (request) => {
      const { agent, pool } = agentCaller(request);
      const { body } = request;
      await admitSession(deps, { agent, request: sessionOf(body), use: 'Heartbeat' });
      const agentUID = agent.metadata.uid ?? '';
      await deps.world.hear({ heard: body.heard, agentUID });
      const status = hostStatus(agent.status, body);
      if (status) await noteStatus(deps, { agent, said: body, times });
      const upgradeToVersion = isOurs(body)
        ? announcedVersion({ agent, pool, now: deps.clock.now() })
        : undefined;
      const installation = await deps.installation();
      const answer: HeartbeatResponse = {
        acknowledged: true,
        nextHeartbeatSeconds: HEARTBEAT_MS / 1000,
        poolId: pool.metadata.name,
        poolName: pool.spec.displayName ?? pool.metadata.name,
        serverTime: deps.clock.now().toISOString(),
        installation: installation.id,
        agentUid: agentUID,
        generation: deps.world.now().generation,
        heard: await deps.world.heardNow(),
        // Of what it says now: a size that is not written down yet counts for itself already.
        promised: presentPromised(capacityOf((status ?? agent.status)?.resources, pool.spec)),
        ...(agent.spec.draining ? { drain: true } : {}),
        ...(upgradeToVersion ? { upgradeToVersion } : {}),
      };
      return ok(answer);
    },
  });
};

/** The reference agent would replace itself with another program of that version. */
const isOurs = ({ session }: HeartbeatRequest): boolean => session !== undefined;

function sessionOf({ session, incarnation, fingerprint, leaving }: HeartbeatRequest) {
  if (session === undefined) return undefined; // an agent of the reference protocol
  return { session, incarnation: incarnation ?? 0, fingerprint, leaving };
}

type Noting = Readonly<{ agent: Agent; said: HeartbeatRequest; times: NoteTimes }>;

/** When each agent's status was last written here. Milliseconds, monotonic. */
type NoteTimes = Map<string, number>;

/**
 * That it was seen at all, the operator writes now and then: of a new agent at the very time of its first heartbeat.
 * Until its size is written down it has no limit, so who loses that race looks again rather than wait for the next one.
 */
async function noteStatus(deps: Deps, { agent, said, times }: Noting): Promise<void> {
  const uid = agent.metadata.uid ?? '';
  const nowMs = deps.clock.monotonicMs();
  const passedMs = nowMs - (times.get(uid) ?? Number.NEGATIVE_INFINITY);
  let current: Agent | undefined = agent;
  for (let tries = 0; tries < WRITES_MAX && current?.metadata.uid === uid; tries++) {
    const status = hostStatus(current.status, said);
    if (!status) return;
    const everyMs = isWordsOnly(current.status, status) ? WORDS_EVERY_MS : NOTED_EVERY_MS;
    if (passedMs < everyMs && mayWait(current.status, status)) return; // the next one says it again
    try {
      const lastSeenAt = deps.clock.now().toISOString();
      await deps.clients.agents.updateStatus({ ...current, status: { ...status, lastSeenAt } });
      times.set(uid, nowMs);
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      current = await deps.clients.agents.get(agent.metadata);
    }
  }
}
