/**
 * Why an agent gets nothing new at the moment, whatever the contract is: what it is, the state that it is in, its
 * breaker, its version, its pool. Room is none of it. `checks.ts` tells each at its place in the chain, the operator
 * in the conditions Ready of agents and pools: who is said to get work is who placement gives work to.
 */
import type { AgentPool } from '../agent-pool.ts';
import { windowAt } from '../maintenance.ts';
import { type Breaker, standingAt } from './health.ts';
import type { Because } from './reasons.ts';
import type { PreparedAgent } from './supply.ts';

type Looked = Pick<PreparedAgent, 'fitness' | 'windows' | 'record'>;

/** Undefined: it gets work, as far as it has room. */
export const shutBecause = (
  agent: Looked,
  { pool, nowMs }: Readonly<{ pool: AgentPool; nowMs: number }>,
): Because | undefined => poolIsGoing(pool) ?? awayBecause(agent, nowMs) ?? poolIsPaused(pool);

/** The same of the agent alone, and of maintenance of its pool: no other agent of the pool need be shut. */
export const awayBecause = ({ fitness, windows, record }: Looked, nowMs: number): Because | undefined =>
  fitness.unfit ??
  fitness.away ??
  inMaintenance(windows, nowMs) ??
  breakerIsOpen(standingAt(record, nowMs).breaker) ??
  fitness.outdated;

/** What was deleted never comes back, whoever is in it. */
export const poolIsGoing = ({ metadata }: AgentPool): Because | undefined =>
  metadata.deletionTimestamp ? { reason: 'PoolDeleting' } : undefined;

export const poolIsPaused = ({ spec }: AgentPool): Because | undefined =>
  spec.paused ? { reason: 'PoolPaused' } : undefined;

export function inMaintenance(windows: PreparedAgent['windows'], nowMs: number): Because | undefined {
  const own = windowAt(windows.own, nowMs);
  if (own) return { reason: 'Maintenance', window: own, of: 'Agent' };
  const pool = windowAt(windows.pool, nowMs);
  return pool && { reason: 'Maintenance', window: pool, of: 'Pool' };
}

export const breakerIsOpen = (breaker: Breaker): Because | undefined =>
  breaker.state === 'Open'
    ? { reason: 'BreakerOpen', failures: breaker.failures, untilMs: breaker.untilMs }
    : undefined;
