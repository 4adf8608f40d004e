/** The facade as a process: reads the environment once, runs until SIGTERM or SIGINT, and says why it ends. */
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/log.ts';
import { runProgram } from '../lib/program.ts';
import { type Config, Environment } from './config.ts';
import { startFacade } from './facade.ts';

async function run(config: Config): Promise<void> {
  const log = createLogger({ name: 'facade', level: config.LOG_LEVEL });
  const starting = new AbortController();
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
  const onSignal = (signal: NodeJS.Signals): void => {
    starting.abort(new Error(`stopped by ${signal} while starting`));
    ask(signal);
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  const kubeconfig = config.KUBECONFIG === undefined ? 'InCluster' : { file: config.KUBECONFIG };
  const options = { config, kubeconfig, clock: systemClock, log, signal: starting.signal } as const;
  const facade = await startFacade(options).catch((error: unknown) => {
    if (starting.signal.aborted) return undefined; // asked to stop before it was ready
    throw error;
  });
  if (!facade) return;
  log.info({ url: facade.url, metrics: facade.metricsUrl }, 'facade listens');
  log.info({ signal: await asked }, 'facade stops');
  await facade.stop();
}

const about = 'the REST API for tenants, providers and agents';
await runProgram({ name: 'facade', about, environment: Environment, run }, process.argv.slice(2));
