/** The entry of `dcm`: reads the environment once, turns Ctrl-C into an abort, and sets the exit code. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { run } from './run.ts';

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
  // A reader that closes the pipe early (`dcm offerings | head`) is no error.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.exitCode = await run(process.argv.slice(2), {
    env: { ...process.env },
    clock: systemClock,
    signal: stopping.signal,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    homeFolder: homedir(),
    programFolder: join(import.meta.dirname, '..'),
  });
}

await main();
