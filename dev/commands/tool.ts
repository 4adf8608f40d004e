/** Runs a program to its end: a tool of `node_modules` or a script of ours. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { signalProcess } from '../processes/managed-process.ts';
import type { Dev } from './dev.ts';

export type ToolResult = Readonly<{ code: number; output: string }>;
export type ToolOptions = Readonly<{
  /** `capture` keeps what it prints, `inherit` lets it print to the terminal. Default capture. */
  output?: 'capture' | 'inherit';
  env?: Readonly<Record<string, string>>;
}>;

/** The most that is kept of what a tool prints; a failing one prints the important part last. */
const OUTPUT_MAX = 200_000;

/** Runs `file` (relative to the checkout) with our Node. Ctrl-C is passed on to it. Never throws for its code. */
export function runNode(
  { paths, env, signal }: Dev,
  file: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  signal.throwIfAborted();
  const inherit = options.output === 'inherit';
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(paths.root, file), ...args], {
      cwd: paths.root,
      env: { ...env, ...options.env },
      stdio: ['ignore', inherit ? 'inherit' : 'pipe', inherit ? 'inherit' : 'pipe'],
    });
    const onAbort = (): void => {
      if (child.pid !== undefined) signalProcess(child.pid, 'SIGTERM');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, output: output.trim() });
    });
  });
}

/** Where the tools' programs are. */
export const TOOLS = {
  tsc: 'node_modules/typescript-native/bin/tsc',
  biome: 'node_modules/@biomejs/biome/bin/biome',
  depcruise: 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
  vitest: 'node_modules/vitest/vitest.mjs',
} as const;
