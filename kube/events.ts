/**
 * Writes Events (`events.k8s.io/v1`) for people who type `kubectl describe`. Never on the path: `record` only
 * queues, a loop writes at a bounded rate, and what does not fit is dropped and counted. The same fact about the
 * same object within 6 minutes becomes a series (`count`, `lastObservedTime`), one write per flush, not per fact.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { KubeClient } from './client.ts';
import { isNotFound } from './error.ts';
import { type KubeObject, microTime } from './object.ts';
import { ignoreObservations, type Observe } from './observation.ts';
import type { ResourceClient, ResourceType } from './resource.ts';

export type EventFact = Readonly<{
  regarding: KubeObject;
  type: 'Normal' | 'Warning';
  /** Stable CamelCase, ≤ 128 characters. */
  reason: string;
  /** What was done or tried, CamelCase, ≤ 128 characters; the reason by default. */
  action?: string | undefined;
  /** A sentence; cut at 1 KiB. */
  note: string;
  related?: KubeObject | undefined;
}>;

export type EventRecorder = Readonly<{
  /** Never throws and never waits. */
  record: (fact: EventFact) => void;
  /** Writes until aborted. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Resolves when all that was recorded so far is written or dropped; after `deadlineMs` the rest is dropped. */
  drain: (options?: { deadlineMs?: number }) => Promise<void>;
  pending: () => number;
}>;

export type EventRecorderOptions = Readonly<{
  client: KubeClient;
  /** `dcmarket.io/operator`: a qualified name of the program. */
  reportingController: string;
  /** Which process of it, ≤ 128 characters. */
  reportingInstance: string;
  clock?: Clock | undefined;
  observe?: Observe | undefined;
  perSecond?: number | undefined;
  burst?: number | undefined;
  queueMax?: number | undefined;
}>;

type KubeEvent = KubeObject & Readonly<Record<string, unknown>>;

export const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** One event or series: what is written of it, and what is still to be written. */
type Entry = {
  readonly fact: EventFact;
  readonly firstAt: Date;
  readonly ref: { namespace: string; name: string };
  isCreated: boolean;
  count: number;
  lastAt: Date;
  isQueued: boolean;
};

const SERIES_MS = 6 * 60_000;
const NOTE_MAX = 1024;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock = systemClock, observe = ignoreObservations } = options;
  const { perSecond = 20, burst = 100, queueMax = 2000 } = options;
  const events = client.resource<KubeEvent>(EVENTS);
  const entries = new Map<string, Entry>();
  const queue: Entry[] = [];
  let inHand = 0;
  let wake: (() => void) | undefined;
  let onIdle: (() => void)[] = [];
  let tokens = burst;
  let filledAtMs = clock.monotonicMs();

  const record = (fact: EventFact): void => {
    const now = clock.now();
    const id = identityOf(fact);
    const known = entries.get(id);
    const entry = known && now.getTime() - known.lastAt.getTime() < SERIES_MS ? known : newEntry(fact, now);
    entry.count++;
    entry.lastAt = now;
    if (entry.isQueued) return;
    if (queue.length >= queueMax) {
      observe({ type: 'EventsDropped', reason: 'QueueFull', count: 1 });
      return;
    }
    entries.delete(id); // so that the Map is in the order of the last use
    entries.set(id, entry);
    forgetOld(entries, now);
    entry.isQueued = true;
    queue.push(entry);
    wake?.();
  };
  const takeToken = async (signal: AbortSignal): Promise<void> => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) * perSecond) / 1000);
    filledAtMs = nowMs;
    if (tokens < 1) await clock.sleep(((1 - tokens) * 1000) / perSecond, { signal });
    tokens -= 1;
  };
  const write = async (entry: Entry, signal: AbortSignal): Promise<void> => {
    entry.isQueued = false;
    try {
      await writeEntry(events, { entry, options, signal });
    } catch (error) {
      if (!signal.aborted) observe({ type: 'EventsDropped', reason: 'Refused', count: 1, error });
    }
  };
  const settle = (): void => {
    if (queue.length > 0 || inHand > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  };

  return {
    record,
    pending: () => queue.length + inHand,
    run: async (signal) => {
      const onAbort = (): void => wake?.();
      signal.addEventListener('abort', onAbort, { once: true });
      while (!signal.aborted) {
        const entry = queue.shift();
        if (!entry) {
          settle();
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (signal.aborted) resolve();
          });
          continue;
        }
        inHand = 1;
        await takeToken(signal).catch(() => {});
        await write(entry, signal);
        inHand = 0;
      }
      const count = queue.splice(0).length;
      if (count > 0) observe({ type: 'EventsDropped', reason: 'Stopped', count });
      settle();
    },
    drain: async ({ deadlineMs = 5000 } = {}) => {
      if (queue.length === 0 && inHand === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onIdle.push(resolve);
      const deadline = clock.after(deadlineMs, () => {
        const count = queue.splice(0).length;
        if (count > 0) observe({ type: 'EventsDropped', reason: 'DrainTimedOut', count });
        resolve();
      });
      await promise;
      deadline.cancel();
    },
  };
}

/** The first write creates the event; later ones patch its series. */
async function writeEntry(
  events: ResourceClient<KubeEvent>,
  { entry, options, signal }: { entry: Entry; options: EventRecorderOptions; signal: AbortSignal },
): Promise<void> {
  if (entry.isCreated) {
    const series = { count: entry.count, lastObservedTime: microTime(entry.lastAt) };
    try {
      await events.patch(entry.ref, { type: 'Merge', body: { series } }, { signal });
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error; // events live for an hour; then it begins again
    }
  }
  await events.create(toEvent(entry, options), { signal });
  entry.isCreated = true;
}

function toEvent(entry: Entry, { reportingController, reportingInstance }: EventRecorderOptions) {
  const { fact, ref, count, firstAt, lastAt } = entry;
  return {
    metadata: ref,
    eventTime: microTime(firstAt),
    reportingController,
    reportingInstance: reportingInstance.slice(0, 128),
    type: fact.type,
    reason: fact.reason,
    action: fact.action ?? fact.reason,
    note: cut(fact.note),
    regarding: referenceTo(fact.regarding),
    ...(fact.related ? { related: referenceTo(fact.related) } : {}),
    ...(count > 1 ? { series: { count, lastObservedTime: microTime(lastAt) } } : {}),
  };
}

function newEntry(fact: EventFact, now: Date): Entry {
  const { namespace = 'default', name } = fact.regarding.metadata; // of a cluster-scoped object: `default`
  const unique = `${now.getTime().toString(16)}${randomBytes(3).toString('hex')}`;
  const ref = { namespace, name: `${name.slice(0, 230)}.${unique}` };
  return { fact, ref, firstAt: now, lastAt: now, count: 0, isCreated: false, isQueued: false };
}

/** As client-go: the note is not part of it, so `attempt 3 failed` and `attempt 4 failed` are one series. */
function identityOf({ regarding, related, type, reason, action }: EventFact): string {
  const of = (object: KubeObject | undefined): string =>
    object ? (object.metadata.uid ?? `${object.kind}/${object.metadata.name}`) : '';
  return `${of(regarding)}|${of(related)}|${type}|${reason}|${action ?? ''}`;
}

function forgetOld(entries: Map<string, Entry>, now: Date): void {
  for (const [id, { lastAt, isQueued }] of entries) {
    if (isQueued || now.getTime() - lastAt.getTime() < SERIES_MS) return; // the rest was used later
    entries.delete(id);
  }
}

const referenceTo = ({ apiVersion, kind, metadata }: KubeObject) => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
};

/** The limit counts bytes. */
function cut(note: string): string {
  if (Buffer.byteLength(note) <= NOTE_MAX) return note;
  return `${Buffer.from(note)
    .subarray(0, NOTE_MAX - 4)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}
