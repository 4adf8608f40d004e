/**
 * The heartbeat, a task of its own: nothing that takes long may delay it. It also tells which process of this
 * agent counts: a newer one ends this one, a clone of it makes it take no new work.
 */

import type { Unhealthy } from '../../crds/unhealthy.ts';
import type { Promised } from '../../crds/wire/amounts.ts';
import type { HeartbeatResponse } from '../../crds/wire/heartbeat.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { ApiProblem, describeSkew } from '../api-client.ts';
import { EXIT, Failure, messageOf } from '../failure.ts';
import { createAnnouncer } from './announcements.ts';
import type { Context } from './context.ts';
import { isFinal } from './decide-answer.ts';
import type { Resources } from './resources.ts';

const BACKOFF = { firstMs: 1000, maxMs: 10_000, factor: 2, jitter: 0.3 };
const LEAVING_MS = 3000;
/** A skew below this is the resolution of the `Date` header. */
const SKEW_NAMED_SECONDS = 5;

export type HeartbeatDeps = Readonly<{
  context: Context;
  version: string;
  fingerprint: string;
  activeContracts: () => number;
  /** Why it wants no new work; undefined: it is well. */
  unhealthy: () => Unhealthy | undefined;
  resources: () => Resources;
  /** Named features that offerings may ask for. */
  capabilities: readonly string[];
  skewSeconds: () => number | undefined;
  /** Resolves `ready` at the first acknowledged one. */
  onAcknowledged: () => void;
  /** What this host may be promised for; undefined: the facade does not say. */
  onPromised: (promised: Promised | undefined) => void;
  /** What an answer says of the world. */
  onWorld: (said: Pick<HeartbeatResponse, 'generation' | 'heard'>) => void;
  /** True while another process uses the same key: take no new work. */
  onDuplicate: (isDuplicate: boolean) => void;
}>;

/** Until the signal is aborted. Throws Failure when this process can never count again. */
export async function keepHeartbeat(deps: HeartbeatDeps, signal: AbortSignal): Promise<void> {
  const { context } = deps;
  const announce = createAnnouncer(context.log, deps);
  for (let failures = 0; !signal.aborted; ) {
    let waitMs: number;
    try {
      const answer = await context.facade.heartbeat(bodyOf(deps), { signal });
      refuseStranger(context, answer);
      failures = 0;
      deps.onDuplicate(false);
      deps.onPromised(answer.promised);
      deps.onWorld(answer);
      announce(answer);
      deps.onAcknowledged();
      noteSkew(deps);
      waitMs = answer.nextHeartbeatSeconds * 1000;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Failure) throw error;
      if (isFinal(error)) throw finalFailure(error);
      const isDuplicate = error instanceof ApiProblem && error.code === 'DuplicateAgent';
      if (isDuplicate) deps.onDuplicate(true);
      waitMs = backoffMs(failures++, BACKOFF);
      const next = error instanceof ApiProblem ? error.next : undefined;
      context.log[failures > 2 || isDuplicate ? 'error' : 'warn'](
        { err: messageOf(error), next, waitMs },
        'no heartbeat',
      );
    }
    await context.clock.sleep(waitMs, { signal }).catch(() => undefined);
  }
}

/** The last one of a graceful stop: nothing of this session runs any more. */
export async function sayGoodbye(deps: HeartbeatDeps): Promise<void> {
  try {
    await deps.context.facade.heartbeat({ ...bodyOf(deps), leaving: true }, { deadlineMs: LEAVING_MS });
  } catch (error) {
    deps.context.log.warn(
      { err: messageOf(error) },
      'could not say goodbye; the next start waits 45 s to confirm absences',
    );
  }
}

const bodyOf = ({
  context,
  version,
  fingerprint,
  activeContracts,
  unhealthy,
  resources,
  capabilities,
}: HeartbeatDeps) => ({
  version,
  fingerprint,
  provisionerType: context.provisioner.type,
  activeContracts: activeContracts(),
  unhealthy: unhealthy(),
  resources: resources(),
  capabilities: [...capabilities],
  heard: context.store.world().heard,
});

function refuseStranger(
  { identity }: Context,
  answer: Readonly<{ installation: string; agentUid: string }>,
): void {
  const { installation, agentUid } = identity;
  if (answer.installation === installation && answer.agentUid === agentUid) return;
  throw new Failure(
    `the server knows this key as agent ${answer.agentUid} of installation ${answer.installation}; here it is agent ${agentUid} of ${installation}`,
    {
      next: 'The server was set up anew, or api_url points at another one. Machines of the old one are left alone; join again with a new --config.',
      exitCode: EXIT.Final,
    },
  );
}

function finalFailure(error: ApiProblem): Failure {
  const next =
    error.code === 'AgentRevoked' ? 'Join again with a new setup token and a new --config.' : error.next;
  return new Failure(error.message, { next, exitCode: EXIT.Final });
}

function noteSkew({ context, skewSeconds }: HeartbeatDeps): void {
  const skew = skewSeconds() ?? 0;
  if (Math.abs(skew) >= SKEW_NAMED_SECONDS)
    context.log.warn(
      { skewSeconds: skew },
      `${describeSkew(skew)}; beyond 60 s the server refuses it: set it by NTP`,
    );
}
