/**
 * What `npm start`, `npm test` and the other scripts run, on Node 24. Reads the environment and the command
 * line once, wires what the commands need, and turns signals and failures into an exit code.
 */
import { constants } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { terminalOf } from './bootstrap/line.mjs';
import type { Dev } from './commands/dev.ts';
import { addCommands } from './commands/table.ts';
import type { Environment } from './context.ts';
import { Failure, Interrupted } from './failure.ts';
import { pathsOf } from './paths.ts';
import { createProgress, describeFailure } from './progress.ts';

/** Ctrl-C reaches us from the terminal and once more from the bootstrap; later ones are meant. */
const SAME_SIGNAL_MS = 1_000;

async function main(): Promise<number> {
  const env = { ...process.env };
  const stopping = new AbortController();
  let received: { signal: NodeJS.Signals; atMs: number } | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const atMs = systemClock.monotonicMs();
    if (received && atMs - received.atMs > SAME_SIGNAL_MS) process.exit(128 + constants.signals[signal]);
    received ??= { signal, atMs };
    stopping.abort(new Interrupted(`stopped by ${signal}`));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  const progress = createProgress({ output: process.stdout, env, clock: systemClock });
  const dev: Dev = {
    env,
    clock: systemClock,
    signal: stopping.signal,
    report: () => {},
    progress,
    paths: pathsOf(join(import.meta.dirname, '..')),
  };
  let exitCode = 0;
  const program = new Command('npm run').exitOverride().showHelpAfterError('Try --help.');
  addCommands(program, async (run) => {
    exitCode = await run(dev);
  });
  try {
    requireSeparator(env);
    await program.parseAsync(process.argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (received) return 128 + constants.signals[received.signal];
    process.stderr.write(`${describeFailure(terminalOf(process.stderr, env), error)}\n`);
    return 1;
  }
}

/** `npm start --once` without `--` in between: npm takes the option for one of its own and hides it from us. */
function requireSeparator(env: Environment): void {
  const script = env['npm_lifecycle_event'] ?? 'start';
  for (const option of ['once', 'port', 'kubeconfig']) {
    if (env[`npm_config_${option}`] === undefined) continue;
    throw new Failure('BadArguments', `npm kept --${option} for itself`, {
      next: `Write -- before it: npm ${script === 'start' ? '' : 'run '}${script} -- --${option}`,
    });
  }
}

process.exitCode = await main();
