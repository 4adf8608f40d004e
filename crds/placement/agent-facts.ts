/** What placing is told of an agent beside the object itself. */
import type { Agent, AgentHealth } from '../agent.ts';
import type { Load } from './load.ts';

/** One agent with what was found out about it. */
export type AgentFacts = Readonly<{
  agent: Agent;
  /** By its heartbeat Lease: fresh, not fresh, or fresh and used by two processes. */
  presence: 'Online' | 'Offline' | 'Duplicate';
  /** `loadOf` its contracts. */
  load: Load;
  /** `healthOf` its contracts, or what `Agent.status.health` has of it. */
  health?: AgentHealth | undefined;
}>;
