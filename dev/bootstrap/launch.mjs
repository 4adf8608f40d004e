/**
 * Makes sure that the dependencies are there, then hands over to `dev/main.ts` on the Node 24 that came with
 * them: signals go to it, its exit code is ours. Plain JavaScript for Node 20.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BootstrapError, ensureDependencies } from './dependencies.mjs';
import { NODE_24 } from './installed.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Without these a folder is not a checkout of this project. */
const NEEDED = ['package.json', 'package-lock.json', 'dev/main.ts'];

/** Answers the exit code. */
export async function launch(root, args, env) {
  const stopping = new AbortController();
  let received;
  let child;
  const onSignal = (signal) => {
    received = signal;
    stopping.abort(new Error(`stopped by ${signal}`));
    child?.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, onSignal);
  try {
    const missing = NEEDED.find((file) => !existsSync(join(root, file)));
    if (missing)
      throw new BootstrapError(
        `this is not a whole checkout: ${missing} is missing`,
        'Clone the repository again.',
      );
    await ensureDependencies(root, { signal: stopping.signal, env });
    return await new Promise((resolve, reject) => {
      child = spawn(join(root, NODE_24), [join(root, 'dev', 'main.ts'), ...args], {
        cwd: root,
        env,
        stdio: 'inherit',
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } catch (error) {
    if (received) return 128 + constants.signals[received];
    const next = error instanceof BootstrapError ? `  what to do: ${error.next}\n` : '';
    process.stderr.write(`  why: ${error.message}\n${next}`);
    return 1;
  }
}
