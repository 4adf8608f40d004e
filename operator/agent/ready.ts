/**
 * The condition Ready of an agent: True exactly when placement gives it work, of which only room may be lacking. Why
 * not is placement's reason, in words for whoever has to mend it. Pure.
 */
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { showWindow } from '../../crds/maintenance.ts';
import type { AgentFacts } from '../../crds/placement/agent-facts.ts';
import type { Because } from '../../crds/placement/reasons.ts';
import { sentenceOf } from '../../crds/placement/sentences.ts';
import { shutBecause } from '../../crds/placement/shut.ts';
import { prepareAgent } from '../../crds/placement/supply.ts';

export type Said = Readonly<{ status: 'True' | 'False'; reason: string; message: string }>;

type ReadyFacts = Readonly<{
  /** As it is to be written: its figures are those of now. */
  agent: Agent;
  pool: AgentPool | undefined;
  presence: AgentFacts['presence'];
  load: AgentFacts['load'];
  /** Its condition Healthy. */
  health: Said;
  now: Date;
}>;

export function readyCondition(facts: ReadyFacts): Said {
  const because = shutOf(facts);
  if (!because) return { status: 'True', reason: 'Ready', message: 'It gets work' };
  return { status: 'False', ...tell(firstToMend(because, facts), facts) };
}

function shutOf({ agent, pool, presence, load, now }: ReadyFacts): Because | undefined {
  if (agent.spec.revoked) return { reason: 'AgentRevoked' };
  if (!pool) return { reason: 'PoolNotFound' };
  const prepared = prepareAgent({ agent, presence, load, health: agent.status?.health }, pool);
  return shutBecause(prepared, { pool, nowMs: now.getTime() });
}

/** Of several that hold, the one that uncordoning does not mend; and an agent that is drained is cordoned as well. */
function firstToMend(because: Because, { agent: { spec }, presence }: ReadyFacts): Because {
  if (because.reason !== 'AgentCordoned' && because.reason !== 'AgentDraining') return because;
  if (presence === 'Duplicate') return { reason: 'DuplicateAgent' };
  if (presence === 'Offline') return { reason: 'AgentOffline', sinceMs: undefined };
  return spec.draining ? { reason: 'AgentDraining' } : because;
}

function tell(because: Because, { agent: { spec }, health, now }: ReadyFacts): Omit<Said, 'status'> {
  const { reason } = because;
  const pool = `Its pool ${spec.poolName}`;
  switch (reason) {
    case 'AgentRevoked':
      return spec.revoked
        ? say('Revoked', 'Its key is refused; what it holds is unattended until confirmed or owed')
        : say('Deleted', 'It was deleted, and goes when it owes nothing');
    case 'MissingPermission':
      return say(reason, 'It lacks the permission provision: add it to spec.permissions');
    case 'AgentTypeMismatch':
      return say(
        reason,
        `It says that it builds ${because.said}, its pool is for ${because.wanted}: change its configuration, or let it join another pool`,
      );
    case 'PoolNotFound':
      return say(reason, `There is no pool ${spec.poolName} in its namespace`);
    case 'PoolDeleting':
      return say(reason, `${pool} is being deleted: let it join another one`);
    case 'PoolPaused':
      return say(reason, `${pool} is paused: set spec.paused of the pool to false`);
    case 'DuplicateAgent':
      return say(
        reason,
        'Two processes use its key: stop one, and give a cloned machine a setup token of its own',
      );
    case 'AgentOffline':
      return say('Offline', 'It is not online');
    case 'AgentDraining':
      return say('Draining', 'It is being emptied and gets no new work');
    case 'AgentCordoned':
      return say('Cordoned', spec.cordonReason ?? 'It gets no new work');
    case 'AgentUnhealthy':
    case 'BreakerOpen':
      return say('Unhealthy', health.message);
    case 'Maintenance':
      return say(reason, `Maintenance ${showWindow(because.window)}`);
    case 'VersionTooOld':
      return say(
        reason,
        `dc-agent ${because.version ?? 'of unknown version'} is older than ${because.minVersion}, which its pool wants: upgrade it`,
      );
    default: // of a contract, not of an agent: `shutBecause` answers none of these
      return say(reason, sentenceOf(because, { nowMs: now.getTime() }));
  }
}

const say = (reason: string, message: string): Omit<Said, 'status'> => ({ reason, message });
