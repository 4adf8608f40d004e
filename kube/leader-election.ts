/**
 * At most one of several candidates leads, by a Lease. A lease has expired when its record has not changed for
 * its whole duration as seen by the local monotonic clock: the timestamps in it are another machine's and are
 * never compared. The leader counts from the start of its last successful renewal, and the shorter time, so it
 * stops before anybody else can begin:
 *
 *   leader    |--- renewDeadline 10 s ---| stops
 *   follower  |------- leaseDuration 15 s ------| may begin
 *
 * A leader that was frozen finds by itself, without a request, that `isLeader()` is false: ask before each write.
 */
import { withDeadline } from '../lib/abort.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isConflict } from './error.ts';
import { LEASES, type Lease } from './lease.ts';
import { microTime } from './object.ts';
import { type Observe, observerOf } from './observation.ts';
import type { ResourceClient } from './resource.ts';

/** How much longer than `retryPeriodMs` a pause may be. */
export const RETRY_JITTER = 0.2;

export type LeaderElectionOptions = Readonly<{
  client: KubeClient;
  namespace: string;
  name: string;
  /** Unique among the candidates, and readable: it stands in the Lease. */
  identity: string;
  leaseDurationMs?: number | undefined;
  renewDeadlineMs?: number | undefined;
  retryPeriodMs?: number | undefined;
  clock?: Clock | undefined;
  observe?: Observe | undefined;
  /** Where the facts go when there is no `observe`. */
  log?: Logger | undefined;
  /** Ends the candidacy: what leads is stopped first, then the Lease is released. */
  signal: AbortSignal;
  /** Leads until its signal is aborted. Nobody else is let in by us before it has resolved. */
  onStartedLeading: (signal: AbortSignal) => Promise<void>;
  onStoppedLeading?: ((because: string) => void) | undefined;
}>;

export type LeaderElection = Readonly<{
  isLeader: () => boolean;
  /** Throws when not leading: for `client.guarded`. */
  assertLeading: () => void;
  /** Resolves after the signal; rejects with what `onStartedLeading` threw. */
  done: Promise<void>;
}>;

export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

export function runLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { clock = systemClock } = options;
  const observe = observerOf(options);
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2000 } = options;
  const { client, namespace, name, identity, signal } = options;
  // A connection of its own: a full pool must not delay a renewal.
  const own = client.fork({ connectionsMax: 2, requestTimeoutMs: Math.max(1000, renewDeadlineMs / 2) });
  const record = createRecord({
    leases: own.resource<Lease>(LEASES),
    ...{ namespace, name, identity, leaseDurationMs, clock },
  });
  const leading = createTenure(clock, renewDeadlineMs);
  const change = (isLeader: boolean, because: string): void =>
    observe({ type: 'LeadershipChanged', lease: `${namespace}/${name}`, identity, isLeader, because });

  /** True when the lease is ours, as of the instant before the request. */
  const attempt = async (stop: AbortSignal, limitMs: number): Promise<boolean> => {
    const begun = leading.instant();
    try {
      const isOurs = await record.acquireOrRenew(withDeadline(stop, limitMs));
      if (isOurs) leading.renewed(begun);
      return isOurs;
    } catch (error) {
      if (!stop.aborted)
        observe({ type: 'LeaseAttemptFailed', lease: `${namespace}/${name}`, identity, error });
      return false;
    }
  };
  const pause = async (stop: AbortSignal): Promise<void> => {
    const ms = retryPeriodMs * (1 + Math.random() * RETRY_JITTER); // two candidates shall not march in step
    await clock.sleep(ms, { signal: stop }).catch(() => {});
  };

  const lead = async (): Promise<void> => {
    const tenure = new AbortController();
    const stop = AbortSignal.any([signal, tenure.signal]);
    change(true, 'Acquired');
    const renewing = (async () => {
      while (!stop.aborted) {
        await pause(stop);
        // Not longer than the tenure: who waits for a hanging request would notice its end too late.
        if (!stop.aborted) await attempt(stop, leading.leftMs());
        if (!leading.isValid())
          tenure.abort(new NotLeadingError(`the lease ${name} was not renewed in time`));
      }
    })();
    try {
      await options.onStartedLeading(stop);
    } finally {
      const because = signal.aborted ? 'Stopped' : leading.isValid() ? 'GaveUp' : 'RenewDeadline';
      tenure.abort();
      await renewing;
      if (leading.isValid()) await release(); // nothing of ours runs any more: the next one may begin at once
      leading.ended();
      change(false, because);
      options.onStoppedLeading?.(because);
    }
  };
  const release = async (): Promise<void> => {
    try {
      await record.release(AbortSignal.timeout(renewDeadlineMs / 2));
    } catch (error) {
      observe({ type: 'LeaseAttemptFailed', lease: `${namespace}/${name}`, identity, error });
    }
  };
  const run = async (): Promise<void> => {
    change(false, 'Candidate');
    try {
      while (!signal.aborted) {
        if (await attempt(signal, renewDeadlineMs)) await lead();
        if (!signal.aborted) await pause(signal);
      }
    } finally {
      await own.close();
    }
  };
  return {
    isLeader: leading.isValid,
    assertLeading: () => {
      if (!leading.isValid())
        throw new NotLeadingError(`${identity} does not hold the lease ${name} any more`);
    },
    done: run(),
  };
}

type Instant = Readonly<{ monotonicMs: number; wallMs: number }>;

/** How long the last renewal counts. Both clocks are asked: the monotonic one stands still while a machine sleeps. */
function createTenure(clock: Clock, renewDeadlineMs: number) {
  let renewedAt: Instant | undefined;
  const instant = (): Instant => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.now().getTime() });
  const leftMs = (): number => {
    if (!renewedAt) return 0;
    const now = instant();
    const ageMs = Math.max(now.monotonicMs - renewedAt.monotonicMs, now.wallMs - renewedAt.wallMs);
    return Math.max(0, renewDeadlineMs - ageMs);
  };
  return {
    instant,
    renewed: (at: Instant): void => {
      renewedAt = at;
    },
    ended: (): void => {
      renewedAt = undefined;
    },
    isValid: (): boolean => leftMs() > 0,
    leftMs,
  };
}

type RecordOptions = Readonly<{
  leases: ResourceClient<Lease>;
  namespace: string;
  name: string;
  identity: string;
  leaseDurationMs: number;
  clock: Clock;
}>;

/** The Lease as one candidate sees it: what it says, and since when it has said so. */
function createRecord({ leases, namespace, name, identity, leaseDurationMs, clock }: RecordOptions) {
  let observed: { resourceVersion: string; atMs: number } | undefined;

  const isFree = ({ metadata, spec }: Lease): boolean => {
    const resourceVersion = metadata.resourceVersion ?? '';
    if (observed?.resourceVersion !== resourceVersion)
      observed = { resourceVersion, atMs: clock.monotonicMs() };
    if (!spec?.holderIdentity || spec.holderIdentity === identity) return true;
    const durationMs = (spec.leaseDurationSeconds ?? leaseDurationMs / 1000) * 1000;
    return clock.monotonicMs() - observed.atMs > durationMs;
  };
  const claimed = (previous: Lease['spec']): NonNullable<Lease['spec']> => {
    const now = microTime(clock.now());
    const isRenewal = previous?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(leaseDurationMs / 1000)),
      acquireTime: (isRenewal ? previous?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (previous?.leaseTransitions ?? 0) + (isRenewal || !previous ? 0 : 1),
    };
  };
  /** Losing the race for the write is an answer, not an error. */
  const write = async (attempt: Promise<Lease>): Promise<boolean> => {
    try {
      const { metadata } = await attempt;
      observed = { resourceVersion: metadata.resourceVersion ?? '', atMs: clock.monotonicMs() };
      return true;
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return false;
      throw error;
    }
  };

  return {
    acquireOrRenew: async (signal: AbortSignal): Promise<boolean> => {
      const lease = await leases.get({ namespace, name }, { signal });
      if (!lease) {
        const draft = { metadata: { namespace, name }, spec: claimed(undefined) };
        return write(leases.create(draft, { signal }));
      }
      if (!isFree(lease)) return false;
      return write(leases.update({ ...lease, spec: claimed(lease.spec) }, { signal }));
    },
    release: async (signal: AbortSignal): Promise<void> => {
      const lease = await leases.get({ namespace, name }, { signal });
      if (lease?.spec?.holderIdentity !== identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await write(leases.update({ ...lease, spec }, { signal }));
    },
  };
}
