/**
 * Everything the runtime reports, as one union. Code calls `observe` with a fact; what becomes of it (a metric,
 * a log line, nothing) is decided by whoever wires the program: see metrics.ts and `logObservations`.
 */
import type { Logger } from '../lib/log.ts';
import type { ObjectKey } from './object.ts';

export type RelistReason = 'Start' | 'Gone' | 'WentBack' | 'Unknown' | 'Malformed';
/** `WentBack`: what was waited for may never come, or has been undone. */
export type WaitOutcome = 'Reached' | 'DeadlineExceeded' | 'WentBack';
export type ReconcileResult = 'success' | 'error' | 'requeue_after' | 'terminal_error';

export type Observation = Readonly<
  // client
  | { type: 'RequestFinished'; method: string; host: string; code: string; durationMs: number }
  | { type: 'ServerWarned'; request: string; warning: string }
  | { type: 'CredentialsReloaded'; host: string; because: 'Changed' | 'Unauthorized' }
  // reflector, cache, informer
  | { type: 'Relisted'; resource: string; because: RelistReason; items: number; durationMs: number }
  | { type: 'WatchStarted'; resource: string; resourceVersion: string; atMonotonicMs: number }
  | { type: 'WatchEnded'; resource: string; because: string; error?: unknown; retryInMs: number }
  /** etcd was restored from an older backup; see `Informer.onWentBack`. */
  | { type: 'WentBack'; resource: string; seen: string; found: string }
  | { type: 'CacheAdvanced'; resource: string; resourceVersion: string; objects: number }
  | { type: 'ConsumerThrew'; resource: string; consumer: 'Handler' | 'Indexer' | 'Mapper'; error: unknown }
  // queue
  | { type: 'QueueCreated'; queue: string; stats: () => QueueStats }
  | { type: 'QueueAdded'; queue: string }
  | { type: 'QueueStarted'; queue: string; waitedMs: number }
  | { type: 'QueueDone'; queue: string; workedMs: number }
  | { type: 'QueueRetried'; queue: string }
  // controller
  | { type: 'ControllerStarted'; controller: string; workers: number }
  | { type: 'ReconcileStarted'; controller: string; key: ObjectKey }
  | {
      type: 'ReconcileFinished';
      controller: string;
      key: ObjectKey;
      result: ReconcileResult;
      durationMs: number;
      error?: unknown;
      retryInMs?: number | undefined;
    }
  | { type: 'WriteAwaited'; resource: string; outcome: WaitOutcome; waitedMs: number }
  | { type: 'ConflictRetried'; resource: string; attempt: number }
  // leader election
  | { type: 'LeadershipChanged'; lease: string; identity: string; isLeader: boolean; because: string }
  | { type: 'LeaseAttemptFailed'; lease: string; identity: string; error: unknown }
  // events
  | {
      type: 'EventsDropped';
      reason: 'QueueFull' | 'Refused' | 'DrainTimedOut' | 'Stopped';
      count: number;
      error?: unknown;
    }
>;

export type QueueStats = Readonly<{ depth: number; unfinishedMs: number; longestRunningMs: number }>;

export type Observe = (fact: Observation) => void;

export const ignoreObservations: Observe = () => {};

/** Without an observer the facts go to the log, if there is one: never to both, each line would come twice. */
export function observerOf({
  observe,
  log,
}: {
  observe?: Observe | undefined;
  log?: Logger | undefined;
}): Observe {
  return observe ?? (log ? logObservations(log) : ignoreObservations);
}

/** One `Observe` that tells all of them, in order. */
export const observeAll =
  (...observers: readonly Observe[]): Observe =>
  (fact) => {
    for (const observe of observers) observe(fact);
  };

/** Logs the facts that a person wants to read afterwards; the frequent ones are left to the metrics. */
export function logObservations(log: Logger): Observe {
  return (fact) => {
    switch (fact.type) {
      case 'ServerWarned':
      case 'EventsDropped':
      case 'LeaseAttemptFailed':
        return log.warn(withError(fact), MESSAGES[fact.type]);
      case 'ConsumerThrew':
      case 'WentBack':
        return log.error(withError(fact), MESSAGES[fact.type]);
      case 'WatchEnded':
        return log[fact.error === undefined ? 'debug' : 'warn'](withError(fact), MESSAGES[fact.type]);
      case 'ReconcileFinished':
        if (fact.error !== undefined) log.warn(withError(fact), MESSAGES[fact.type]);
        return;
      case 'Relisted':
      case 'LeadershipChanged':
      case 'ControllerStarted':
      case 'CredentialsReloaded':
        return log.info(fact, MESSAGES[fact.type]);
      case 'WriteAwaited':
        if (fact.outcome !== 'Reached') log.warn(fact, MESSAGES[fact.type]);
        return;
      default: // one line per request or event would drown the rest
    }
  };
}

const MESSAGES = {
  ServerWarned: 'the API server warned',
  EventsDropped: 'events were dropped',
  LeaseAttemptFailed: 'the lease could not be read or written',
  WentBack: 'the API server went back to an older state',
  ConsumerThrew: 'a consumer of the informer threw',
  WatchEnded: 'the watch ended',
  ReconcileFinished: 'a reconcile failed',
  Relisted: 'listed',
  LeadershipChanged: 'leadership changed',
  ControllerStarted: 'controller started',
  CredentialsReloaded: 'credentials reloaded',
  WriteAwaited: 'the cache did not reach a write of ours in time',
} as const;

/** pino prints an Error only under `err`. */
function withError({ type, ...fact }: Observation & { error?: unknown }): Record<string, unknown> {
  const { error, ...fields } = fact;
  return error === undefined ? { ...fields } : { ...fields, err: error };
}
