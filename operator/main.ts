/** The operator's entry: reads the environment once, turns signals into an orderly stop, and runs. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/log.ts';
import { runProgram } from '../lib/program.ts';
import { Environment, type OperatorConfig } from './config.ts';
import { runOperator } from './run.ts';

async function run(config: OperatorConfig): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
  await runOperator({
    config,
    log: createLogger({ name: 'operator', level: config.LOG_LEVEL }),
    clock: systemClock,
    identity: `${hostname()}-${randomUUID()}`,
    signal: stopping.signal,
  });
}

const about = 'brings every contract from its request to a running machine, and to its end';
await runProgram({ name: 'operator', about, environment: Environment, run }, process.argv.slice(2));
