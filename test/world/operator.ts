/** An operator of this process, for one namespace of the shared cluster. */
import { type Clock, systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { readConfig } from '../../operator/config.ts';
import { type OperatorTiming, runOperator } from '../../operator/run.ts';

export type OperatorStart = Readonly<{
  /** File of a kubeconfig. */
  kubeconfig: string;
  databaseUrl: string;
  namespace: string;
  identity?: string;
  clock?: Clock;
  timing?: OperatorTiming;
  environment?: Readonly<Record<string, string>>;
}>;

/** Answers how to stop it. */
export function startOperator({ kubeconfig, databaseUrl, namespace, ...more }: OperatorStart) {
  const stop = new AbortController();
  const running = runOperator({
    config: readConfig({
      KUBECONFIG: kubeconfig,
      DATABASE_URL: databaseUrl,
      METRICS_PORT: '0',
      LEASE_NAMESPACE: namespace,
      WATCH_NAMESPACE: namespace,
      LOG_LEVEL: 'silent',
      ...more.environment,
    }),
    log: createLogger({ name: 'operator', level: process.env['TEST_LOG'] === 'debug' ? 'debug' : 'silent' }),
    clock: more.clock ?? systemClock,
    identity: more.identity ?? 'operator-1',
    timing: more.timing,
    signal: stop.signal,
  });
  running.catch(() => undefined);
  return async (): Promise<void> => {
    stop.abort(new Error('the test is over'));
    await running;
  };
}
