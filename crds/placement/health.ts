/**
 * What the last attempts say of an agent. Failures lower its score for a while; a run of them opens its breaker,
 * and when that time is over it is on trial: one contract at a time, until one succeeds (half-open).
 *
 *   Closed → (contracts of 3 tenants in a row failed) → Open → (15 min, doubled by each further one) → HalfOpen
 *      ↑______________________ a success ______________________________________________________↓
 *
 * A run counts tenants, not contracts or attempts (the contract itself where its tenant is not known), and nothing
 * that was the fault of the contract or mere lack of room: one bad order must not close a host for all others,
 * nor must one tenant who orders it again and again.
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

/** Whose it was, and how it ended. */
export type Tried = Readonly<{ contractUID: string; tenantKey?: string | undefined; attempt: Attempt }>;

export const triedOf = ({ metadata, spec }: Contract, attempt: Attempt): Tried => ({
  ...{ contractUID: metadata.uid ?? '', tenantKey: spec.tenant.publicKey },
  attempt,
});

/** Read from the attempts of contracts, ended ones too; what happened before the last 24 hours is left out. */
export function healthOf(
  agent: Pick<Agent, 'metadata'>,
  { contracts, now }: Readonly<{ contracts: Iterable<Contract>; now: Date }>,
): AgentHealth {
  const tried: Tried[] = [];
  for (const contract of contracts)
    for (const attempt of contract.status?.attempts ?? []) tried.push(triedOf(contract, attempt));
  return healthFrom(agent, { tried, now });
}

/** The same from attempts wherever they were kept. */
export function healthFrom(
  { metadata }: Pick<Agent, 'metadata'>,
  { tried, now }: Readonly<{ tried: Iterable<Tried>; now: Date }>,
): AgentHealth {
  let lastSuccessMs = 0;
  const failures: NonNullable<AgentHealth['failures']> = [];
  for (const { contractUID, tenantKey, attempt } of tried) {
    if (attempt.agentUID !== metadata.uid) continue;
    const endedMs = Date.parse(attempt.endedAt);
    if (attempt.outcome === 'Succeeded') lastSuccessMs = Math.max(lastSuccessMs, endedMs);
    else if (isFaultOfAgent(attempt) && now.getTime() - endedMs < RUN_WITHIN_MS)
      failures.push({
        contractUID,
        at: attempt.endedAt,
        ...(tenantKey && { tenant: tenantKey.slice(0, 16) }),
      });
  }
  failures.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.contractUID < b.contractUID ? -1 : 1));
  return {
    ...(lastSuccessMs > 0 ? { lastSuccessAt: new Date(lastSuccessMs).toISOString() } : {}),
    ...(failures.length > 0 ? { failures: failures.slice(-FAILURES_KEPT) } : {}),
  };
}

/** An agent that gave work back, had no room, or was given what cannot be built, is not ill. */
export function isFaultOfAgent({ outcome, class: kind = 'transient' }: Attempt): boolean {
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

/** What the failures come to at an instant. */
export type Standing = Readonly<{
  breaker: Breaker;
  /** What recent failures take off a score. */
  cost: number;
  /** When one of these changes by the passing of time alone; undefined: never. */
  changesAtMs: number | undefined;
}>;

const WELL: Standing = { breaker: { state: 'Closed' }, cost: 0, changesAtMs: undefined };

/** The same with its instants parsed, for whoever asks often. */
export type TrackRecord = Readonly<{
  lastSuccessMs: number;
  /** `of`: whose failures count as one. */
  failures: readonly Readonly<{ of: string; atMs: number }>[];
}>;

export const recordOf = (health: AgentHealth | undefined): TrackRecord => ({
  lastSuccessMs: health?.lastSuccessAt ? Date.parse(health.lastSuccessAt) : 0,
  failures: (health?.failures ?? []).map(({ contractUID, at, tenant }) => ({
    of: tenant ?? contractUID,
    atMs: Date.parse(at),
  })),
});

export function standingAt(record: TrackRecord, nowMs: number): Standing {
  const { failures } = record;
  if (failures.length === 0) return WELL;
  const breaker = failures.length < BREAKER_RUN ? WELL.breaker : breakerOf(record, nowMs);
  let recent = 0;
  let changesAtMs = breaker.state === 'Open' ? breaker.untilMs : Number.POSITIVE_INFINITY;
  for (const { atMs } of failures) {
    const isRecent = nowMs < atMs + FAILURE_WEIGHS_MS;
    if (isRecent) recent++;
    const nextMs = atMs + (isRecent ? FAILURE_WEIGHS_MS : RUN_WITHIN_MS);
    if (nextMs > nowMs) changesAtMs = Math.min(changesAtMs, nextMs);
  }
  return {
    breaker,
    cost: Math.min(FAILURES_COST_MAX, recent * FAILURE_COST),
    changesAtMs: Number.isFinite(changesAtMs) ? changesAtMs : undefined,
  };
}

function breakerOf({ lastSuccessMs, failures }: TrackRecord, nowMs: number): Breaker {
  const run = failures.filter(({ atMs }) => atMs > lastSuccessMs && nowMs - atMs < RUN_WITHIN_MS);
  const tenants = new Set(run.map(({ of }) => of)).size;
  const last = run.at(-1);
  if (tenants < BREAKER_RUN || !last) return WELL.breaker;
  const openMs = Math.min(BREAKER_OPEN_MAX_MS, BREAKER_OPEN_MS * 2 ** (tenants - BREAKER_RUN));
  const untilMs = last.atMs + openMs;
  if (nowMs < untilMs) return { state: 'Open', failures: tenants, untilMs };
  return { state: 'HalfOpen', failures: tenants };
}
