/**
 * What each agent tried in the last 24 hours, as a set of facts: each attempt is there once, by contract and epoch,
 * the newest word of it. Told by the contracts as they change; those of contracts that are gone, and those that fell
 * off a contract's short list, are read from PostgreSQL once at the start. Nothing is counted up or down.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Rate } from '../../crds/agent-pool.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { Attempt } from '../../crds/contract/status.ts';
import { rateOf } from '../../crds/placement/figures.ts';
import { type Tried, triedOf } from '../../crds/placement/health.ts';
import { RUN_WITHIN_MS } from '../../crds/placement/numbers.ts';
import type { Informer } from '../../kube/informer.ts';
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Attempts } from '../../store/attempts.ts';

/** Of one agent; `untilMs`: when the oldest of them is a day old. */
export type DailyRate = Rate & Readonly<{ untilMs: number | undefined }>;

export type AttemptBook = Readonly<{
  /** Of the last 24 hours. */
  of: (agentUID: string) => readonly Tried[];
  rate: (agentUID: string) => DailyRate;
  /** Of how many agents anything is kept. */
  agentsKept: () => number;
  /** Resolves when PostgreSQL was read, or after a moment without it; never rejects. */
  opened: Promise<void>;
  /** PostgreSQL was read after `opened`: figures may have changed. Answers how to unsubscribe. */
  onLateLoad: (handler: () => void) => () => void;
  /** Reads PostgreSQL, again while it is down. Resolves when that is done, or when aborted. */
  load: (signal: AbortSignal) => Promise<void>;
}>;

type Deps = Readonly<{
  contracts: Pick<Informer<Contract>, 'onChange'>;
  attempts: Pick<Attempts, 'endedSince'>;
  clock: Clock;
  log: Logger;
}>;

const OPENED_WITHIN_MS = 3_000;
const LOADED_MAX = 100_000;
const SWEEP_EVERY_MS = 60 * 60_000;
const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.3 };

export function openAttemptBook({ contracts, attempts, clock, log }: Deps): AttemptBook {
  const byAgent = new Map<string, Map<string, Tried>>();
  const rates = new Map<string, DailyRate>();
  let sweepsAtMs = 0;
  const handlers = new Set<() => void>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let isOpen = false;
  void opened.then(() => {
    isOpen = true;
  });

  const note = (tried: Tried): void => {
    const { agentUID, epoch, endedAt } = tried.attempt;
    sweep(clock.now().getTime());
    if (isOver(tried)) return;
    const key = `${tried.contractUID}/${epoch}`;
    const own = byAgent.get(agentUID) ?? new Map<string, Tried>();
    const known = own.get(key);
    // A late word replaces an earlier one: what expired may still succeed, what succeeded may not be reachable.
    if (known && Date.parse(known.attempt.endedAt) > Date.parse(endedAt)) return;
    own.set(key, { ...tried, tenantKey: tried.tenantKey ?? known?.tenantKey });
    byAgent.set(agentUID, own);
    rates.delete(agentUID);
  };
  const isOver = ({ attempt }: Tried): boolean =>
    clock.now().getTime() - Date.parse(attempt.endedAt) >= RUN_WITHIN_MS;
  const of = (agentUID: string): readonly Tried[] => {
    const own = byAgent.get(agentUID);
    if (!own) return [];
    for (const [key, tried] of own) if (isOver(tried)) own.delete(key);
    if (own.size === 0) byAgent.delete(agentUID);
    return [...own.values()];
  };

  /** Of agents that nobody asks about, such as those that are gone, nothing is kept for longer either. */
  const sweep = (nowMs: number): void => {
    if (nowMs < sweepsAtMs) return;
    sweepsAtMs = nowMs + SWEEP_EVERY_MS;
    for (const agentUID of byAgent.keys()) of(agentUID);
    for (const agentUID of rates.keys()) if (!byAgent.has(agentUID)) rates.delete(agentUID);
  };

  contracts.onChange(({ type, object, old }) => {
    if (type === 'Deleted') return; // it happened all the same
    for (const attempt of object.status?.attempts ?? [])
      if (!isKnown(old, attempt)) note(triedOf(object, attempt));
  });

  return {
    of,
    rate: (agentUID) => {
      const known = rates.get(agentUID);
      if (known && clock.now().getTime() < (known.untilMs ?? Number.POSITIVE_INFINITY)) return known;
      const tried = of(agentUID).map(({ attempt }) => attempt);
      const oldestMs = Math.min(...tried.map(({ endedAt }) => Date.parse(endedAt)));
      const untilMs = tried.length > 0 ? oldestMs + RUN_WITHIN_MS : undefined;
      const rate = { ...rateOf(tried), untilMs };
      if (tried.length > 0) rates.set(agentUID, rate);
      return rate;
    },
    agentsKept: () => new Set([...byAgent.keys(), ...rates.keys()]).size,
    opened,
    onLateLoad: (handler) => {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    load: async (signal) => {
      const patience = clock.after(OPENED_WITHIN_MS, open);
      for (let failures = 0; !signal.aborted; failures++) {
        try {
          const since = new Date(clock.now().getTime() - RUN_WITHIN_MS);
          for (const tried of await attempts.endedSince({ since, limit: LOADED_MAX })) note(tried);
          if (isOpen) for (const handler of handlers) handler();
          break;
        } catch (error) {
          log.info({ err: error }, 'attempts of the last day wait for the database');
          await clock.sleep(backoffMs(failures, BACKOFF), { signal }).catch(() => undefined);
        }
      }
      patience.cancel();
      open();
    },
  };
}

const isKnown = (old: Contract | undefined, attempt: Attempt): boolean =>
  old?.status?.attempts?.some((known) => isDeepStrictEqual(known, attempt)) ?? false;
