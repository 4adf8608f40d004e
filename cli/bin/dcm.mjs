#!/usr/bin/env node
// Starts cli/main.ts with a Node that runs TypeScript as it is: the running one from 22.18 on, else the one
// that `npm ci` put into node_modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../main.ts', import.meta.url);
const bundled = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)) {
  // Node says on each start that running TypeScript is experimental; a person can do nothing about it.
  process.removeAllListeners('warning');
  await import(main.href);
} else if (existsSync(bundled)) {
  const child = spawn(bundled, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches both; the child decides what becomes of it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
} else {
  process.stderr.write(
    `dcm: Node ${process.versions.node} is too old, 22.18 is the oldest that works.\n     Install a newer Node, or run \`npm ci\` in the checkout, which brings one.\n`,
  );
  process.exitCode = 2;
}
