/**
 * What the last attempts say of an agent. Failures lower its score for a while; a run of them opens its breaker,
 * and when that time is over it is on trial: one contract at a time, until one succeeds (half-open).
 *
 *   Closed → (3 contracts in a row failed) → Open → (15 min, doubled by each further one) → HalfOpen
 *      ↑______________________ a success ______________________________________________________↓
 *
 * A run counts contracts, not attempts, and nothing that was the fault of the contract or mere lack of room:
 * one bad order must not close a host for all others.
 */
import type { Agent, AgentHealth } from '../agent.ts';
import type { Contract } from '../contract/contract.ts';
import type { Attempt } from '../contract/status.ts';
import {
  BREAKER_OPEN_MAX_MS,
  BREAKER_OPEN_MS,
  BREAKER_RUN,
  FAILURE_COST,
  FAILURE_WEIGHS_MS,
  FAILURES_COST_MAX,
  RUN_WITHIN_MS,
} from './numbers.ts';

const FAILURES_KEPT = 16;

export type Breaker =
  | Readonly<{ state: 'Closed' }>
  | Readonly<{ state: 'Open'; failures: number; untilMs: number }>
  | Readonly<{ state: 'HalfOpen'; failures: number }>;

/** Read from the attempts of contracts, ended ones too; what happened before the last 24 hours is left out. */
export function healthOf(
  { metadata }: Pick<Agent, 'metadata'>,
  { contracts, now }: Readonly<{ contracts: Iterable<Contract>; now: Date }>,
): AgentHealth {
  let lastSuccessMs = 0;
  const failures: NonNullable<AgentHealth['failures']> = [];
  for (const { metadata: contract, status } of contracts)
    for (const attempt of status?.attempts ?? []) {
      if (attempt.agentUID !== metadata.uid) continue;
      const endedMs = Date.parse(attempt.endedAt);
      if (attempt.outcome === 'Succeeded') lastSuccessMs = Math.max(lastSuccessMs, endedMs);
      else if (isFaultOfAgent(attempt) && now.getTime() - endedMs < RUN_WITHIN_MS)
        failures.push({ contractUID: contract.uid ?? '', at: attempt.endedAt });
    }
  failures.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.contractUID < b.contractUID ? -1 : 1));
  return {
    ...(lastSuccessMs > 0 ? { lastSuccessAt: new Date(lastSuccessMs).toISOString() } : {}),
    ...(failures.length > 0 ? { failures: failures.slice(-FAILURES_KEPT) } : {}),
  };
}

/** An agent that gave work back, had no room, or was given what cannot be built, is not ill. */
function isFaultOfAgent({ outcome, class: kind = 'transient' }: Attempt): boolean {
  switch (outcome) {
    case 'Expired':
    case 'VerificationFailed':
      return true;
    case 'Failed':
      return kind === 'transient';
    case 'Released':
    case 'Succeeded':
      return false;
  }
}

export function breakerOf(health: AgentHealth | undefined, nowMs: number): Breaker {
  const run = runOf(health, nowMs);
  const contracts = new Set(run.map(({ contractUID }) => contractUID)).size;
  const last = run.at(-1);
  if (contracts < BREAKER_RUN || !last) return { state: 'Closed' };
  const openMs = Math.min(BREAKER_OPEN_MAX_MS, BREAKER_OPEN_MS * 2 ** (contracts - BREAKER_RUN));
  const untilMs = Date.parse(last.at) + openMs;
  if (nowMs < untilMs) return { state: 'Open', failures: contracts, untilMs };
  return { state: 'HalfOpen', failures: contracts };
}

/** What recent failures take off a score. */
export function failureCost(health: AgentHealth | undefined, nowMs: number): number {
  const recent = (health?.failures ?? []).filter(({ at }) => nowMs - Date.parse(at) < FAILURE_WEIGHS_MS);
  return Math.min(FAILURES_COST_MAX, recent.length * FAILURE_COST);
}

/** When one of these answers changes by the passing of time alone; undefined: never. */
export function healthChangesAt(health: AgentHealth | undefined, nowMs: number): number | undefined {
  if (!health?.failures?.length) return undefined;
  const breaker = breakerOf(health, nowMs);
  const instants = health.failures.flatMap(({ at }) => [
    Date.parse(at) + FAILURE_WEIGHS_MS,
    Date.parse(at) + RUN_WITHIN_MS,
  ]);
  if (breaker.state === 'Open') instants.push(breaker.untilMs);
  const next = Math.min(...instants.filter((ms) => ms > nowMs));
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}

function runOf(health: AgentHealth | undefined, nowMs: number): NonNullable<AgentHealth['failures']> {
  if (!health?.failures) return [];
  const successMs = health.lastSuccessAt ? Date.parse(health.lastSuccessAt) : 0;
  return health.failures.filter(({ at }) => {
    const ms = Date.parse(at);
    return ms > successMs && nowMs - ms < RUN_WITHIN_MS;
  });
}
