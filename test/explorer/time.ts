/** Clocks jump to deadlines only: to the next one that is near, or, as a fault of its own, to one that is hours away. */

import { isLive } from '../../crds/contract/contract.ts';
import { ATTEMPT_DEADLINE_MS, ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import { loseLock, rest } from './agent-job.ts';
import { eligibilityOf } from './facade.ts';
import { NEAR_MS } from './gist.ts';
import type { Move } from './move.ts';
import { decisionOf } from './operators.ts';
import { beat } from './processes.ts';
import type { Rules } from './rules.ts';
import { store } from './server.ts';
import { jobOf, msOf, nth, spend, type World } from './world.ts';

export function timeMoves(world: World, rules: Rules): Move[] {
  const deadlines = deadlinesOf(world, rules);
  const near = deadlines.filter((at) => at <= world.nowMs + NEAR_MS);
  const far = deadlines.filter((at) => at > world.nowMs + NEAR_MS);
  const moves: Move[] = [];
  if (near.length > 0) {
    const at = Math.min(...near);
    const text = `${seconds(at - world.nowMs)} pass`;
    moves.push({ kind: 'TimePasses', text, next: advance(world, rules, at) });
  }
  if (far.length > 0 && world.budget.longWait > 0) {
    const at = Math.min(...far);
    const text = `${seconds(at - world.nowMs)} pass, far longer than anything else took`;
    moves.push({ kind: 'LongTimePasses', text, next: advance(spend(world, 'longWait'), rules, at) });
  }
  const overdue = overdueAt(world);
  if (overdue !== undefined && world.budget.longWait > 0) {
    const text = 'the lock is renewed and renewed, and nothing else happens';
    moves.push({
      kind: 'LongTimePasses',
      text,
      next: renewedUntil(spend(world, 'longWait'), rules, overdue),
    });
  }
  return moves;
}

/** When the first lock that somebody holds will have been held for too long. Only where another agent could try. */
function overdueAt({ contracts, leases, nowMs }: World): number | undefined {
  const instants = contracts
    .flatMap((contract) => contract?.status?.lock ?? [])
    .map(({ acquiredAt }) => msOf(acquiredAt) + ATTEMPT_DEADLINE_MS)
    .filter((at) => at > nowMs);
  return leases.length > 1 && instants.length > 0 ? Math.min(...instants) : undefined;
}

/** As it would be after many renewals: each holder knows that it has its lock for as long as at first. */
function renewedUntil(world: World, rules: Rules, atMs: number): World {
  const passedMs = atMs - world.nowMs;
  const later = (instant: string): string => new Date(msOf(instant) + passedMs).toISOString();
  let next = world;
  world.contracts.forEach((contract, c) => {
    const { lock } = contract?.status ?? {};
    if (!contract?.status || !lock) return;
    const renewed = { ...lock, renewedAt: later(lock.renewedAt), expiresAt: later(lock.expiresAt) };
    next = store(next, c, { ...contract, status: { ...contract.status, lock: renewed } });
  });
  const processes = world.processes.map((process) => ({
    ...process,
    jobs: process.jobs.map((job) =>
      job.lock
        ? {
            ...job,
            lock: {
              ...job.lock,
              renewAtMs: job.lock.renewAtMs + passedMs,
              endsAtMs: job.lock.endsAtMs + passedMs,
            },
          }
        : job,
    ),
  }));
  return advance({ ...next, processes }, rules, atMs);
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** Heartbeats go on meanwhile; a lock that runs out is given up at once, by the agent's own timer. */
export function advance(world: World, rules: Rules, atMs: number): World {
  let next: World = { ...world, nowMs: atMs };
  world.processes.forEach((_process, p) => {
    const { isUp, isAcknowledged } = nth(next.processes, p);
    if (isUp && isAcknowledged) next = beat(next, rules, p).world;
    world.contracts.forEach((_contract, c) => {
      const { lock } = jobOf(next, p, c);
      if (lock && lock.endsAtMs <= atMs) next = rest(loseLock(next, [p, c]), [p, c], rules);
    });
  });
  return next;
}

/** All instants after now at which somebody would do something else: the rules say so themselves where they can. */
export function deadlinesOf(world: World, rules: Rules): number[] {
  const { nowMs } = world;
  const deadlines: number[] = [];
  world.operators.forEach((_operator, o) => {
    world.contracts.forEach((_contract, c) => {
      const afterMs = decisionOf(world, rules, [o, c])?.requeueAfterMs;
      if (afterMs !== undefined) deadlines.push(nowMs + afterMs);
    });
  });
  for (const contract of world.contracts) {
    if (!contract || !isLive(contract)) continue;
    const { phase, provisionBy, endsAt } = contract.status;
    if (provisionBy && (phase === 'Accepted' || phase === 'Provisioning')) deadlines.push(msOf(provisionBy));
    if (endsAt && phase === 'Active') deadlines.push(msOf(endsAt));
    world.leases.forEach((_lease, agent) => {
      const verdict = eligibilityOf(world, { rules, contract, agent });
      if (!verdict.eligible && verdict.until) deadlines.push(msOf(verdict.until));
    });
  }
  for (const { jobs } of world.processes)
    for (const { lock } of jobs) if (lock) deadlines.push(lock.renewAtMs, lock.endsAtMs);
  world.leases.forEach((lease, agent) => {
    if (!lease) return;
    const isDead = !world.processes.some(
      (it) => it.agent === agent && it.isUp && it.session === lease.session,
    );
    if (isDead) deadlines.push(msOf(lease.heardAt) + ONLINE_WITHIN_MS);
    if (lease.supersededHeardAt) deadlines.push(msOf(lease.supersededHeardAt) + ONLINE_WITHIN_MS);
  });
  return deadlines.filter((at) => at > nowMs);
}
