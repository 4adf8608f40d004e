/**
 * `dc-agent run`: heartbeat, poll, jobs and reconcile as tasks of their own, and the order in which they stop:
 * no new work, then the running steps for a while, then the last heartbeat. Instances keep running.
 */
import { aborted } from '../../lib/abort.ts';
import { createAlarm } from './alarm.ts';
import type { Context } from './context.ts';
import { createHealth } from './health.ts';
import { hearWorld } from './hear-world.ts';
import { type HeartbeatDeps, keepHeartbeat, sayGoodbye } from './heartbeat.ts';
import { createJobs } from './jobs.ts';
import { pollForWork } from './poll.ts';
import { keepReconciled } from './reconcile.ts';
import { createWishes } from './wishes.ts';

export type DaemonDeps = Readonly<{
  context: Omit<Context, 'stopping' | 'halted'>;
  heartbeat: Omit<
    HeartbeatDeps,
    'context' | 'activeContracts' | 'unhealthy' | 'onAcknowledged' | 'onDuplicate' | 'onPromised' | 'onWorld'
  >;
  /** Aborted by SIGTERM and SIGINT. */
  signal: AbortSignal;
}>;

/** Resolves after a graceful stop. Throws Failure when this process can never count again. */
export async function runDaemon({ context: base, heartbeat, signal }: DaemonDeps): Promise<void> {
  const { log, clock, limits, store } = base;
  const stop = new AbortController();
  const halt = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  const context: Context = { ...base, stopping, halted: halt.signal };
  const jobs = createJobs(context);
  const alarm = createAlarm(clock);
  const health = createHealth(context);
  let isDuplicate = false;
  let acknowledge: () => void = () => undefined;
  const acknowledged = new Promise<void>((resolve) => {
    acknowledge = resolve;
  });
  const beat: HeartbeatDeps = {
    ...heartbeat,
    context,
    activeContracts: jobs.running,
    unhealthy: health.now,
    onAcknowledged: acknowledge,
    onPromised: jobs.notePromised,
    onWorld: (said) => {
      if (hearWorld({ context, jobs }, said)) alarm.ring();
    },
    onDuplicate: (is) => {
      isDuplicate = is;
    },
  };
  let failure: unknown;
  // Until the very end: an agent that is only finishing its steps must not look dead.
  const beating = keepHeartbeat(beat, halt.signal).catch((error: unknown) => {
    failure = error;
    stop.abort(error);
    halt.abort(error);
  });

  const watching = health.watch(halt.signal);
  const wishes = createWishes(context, halt.signal);
  const working = async (): Promise<void> => {
    await Promise.race([acknowledged, aborted(stopping)]);
    if (stopping.aborted) return;
    log.info({ unfinished: store.all().filter(({ grant }) => grant).length }, 'agent is online');
    jobs.resume();
    const poll = { context, jobs, wishes, mayClaim: () => !isDuplicate && !health.now() };
    await Promise.all([
      pollForWork(poll, stopping),
      keepReconciled({ context, jobs, alarm, health }, stopping),
    ]);
  };
  await working();

  const grace = clock.after(limits.stopMs, () => halt.abort(new Error('the time to stop is over')));
  await Promise.all([jobs.ended(), wishes.ended()]);
  grace.cancel();
  halt.abort(new Error('stopped'));
  await Promise.all([beating, watching]);
  if (failure) throw failure;
  await sayGoodbye(beat);
  log.info({}, 'agent stopped; its instances keep running');
}
