/**
 * A contract that nobody could build for two minutes is told: as an Event on it, and in metrics. Once a wait; a new
 * leader tells again only of those whose two minutes were over shortly before it began, when nobody may have led.
 */
import type { Registry } from 'prom-client';
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import { SCHEDULING_REASONS, type SchedulingReason } from '../../crds/placement/explain.ts';
import type { Cache } from '../../kube/cache.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { metricsOf } from '../../kube/metrics/registry.ts';
import type { Clock } from '../../lib/clock.ts';
import { STUCK_AFTER_MS } from './decide/waiting.ts';
import type { Action } from './facts.ts';

type Stuck = Extract<Action, { type: 'TellStuck' }>;

export type TellStuck = (contract: LiveContract, stuck: Stuck) => void;

type Deps = Readonly<{
  recorder: Pick<EventRecorder, 'record'>;
  count: (reason: SchedulingReason) => void;
  clock: Pick<Clock, 'now'>;
}>;

/** Longest time without a leader that is made up for. */
const GAP_MS = 5 * 60_000;
/** Whom to forget first: those that were told longest ago. */
const TOLD_MAX = 100_000;

/** For one leadership. */
export function createTellStuck({ recorder, count, clock }: Deps): TellStuck {
  const beganMs = clock.now().getTime();
  const told = new Map<string, string>(); // since when, by UID
  return (contract, { reason, message, since }) => {
    const uid = contract.metadata.uid ?? '';
    if (told.get(uid) === since) return;
    told.delete(uid);
    told.set(uid, since);
    const [oldest] = told.keys();
    if (told.size > TOLD_MAX && oldest !== undefined) told.delete(oldest);
    if (Date.parse(since) + STUCK_AFTER_MS < beganMs - GAP_MS) return; // another leader said it
    count(reason);
    recorder.record({ regarding: contract, type: 'Warning', reason, action: 'Schedule', note: message });
  };
}

type Watched = Readonly<{ contracts: Pick<Cache<Contract>, 'getByIndex'>; clock: Pick<Clock, 'now'> }>;

/** Every reason begins at 0, so that `rate()` sees the first one. Answers how to count. */
export function stuckMetrics(
  registry: Registry,
  { contracts, clock }: Watched,
): (reason: SchedulingReason) => void {
  const metrics = metricsOf(registry);
  const reasons = SCHEDULING_REASONS.filter(
    (reason) => !reason.startsWith('Awaiting') || reason === 'AwaitingFallback',
  );
  const total = metrics.counter(
    'dcmarket_contracts_unschedulable_total',
    'Contracts that nobody could build for two minutes',
    ['reason'],
  );
  for (const reason of reasons) total.inc({ reason }, 0);
  metrics.gauge(
    'dcmarket_contracts_unschedulable',
    'Contracts that wait and that nobody could build for two minutes or more',
    ['reason'],
    (metric) => {
      // Instants that we wrote ourselves compare as text: a scrape looks at all that wait.
      const since = new Date(clock.now().getTime() - STUCK_AFTER_MS).toISOString();
      for (const reason of reasons)
        metric.set(
          { reason },
          contracts.getByIndex('unschedulable', reason).filter((it) => isStuck(it, since)).length,
        );
    },
  );
  return (reason) => total.inc({ reason });
}

const isStuck = ({ status }: Contract, since: string): boolean =>
  status?.conditions?.some(
    ({ type, lastTransitionTime }) => type === 'Schedulable' && lastTransitionTime <= since,
  ) ?? false;
