/**
 * The entry of every npm script: runs on whatever Node a newcomer has, before anything is installed. It only
 * refuses a Node that is too old, in syntax that an old Node still reads; the rest is in `bootstrap/`.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  process.stderr.write(
    `dcmarket needs Node ${OLDEST_NODE} or newer, this is ${process.versions.node}.\n  what to do: install a newer one from https://nodejs.org, then start again.\n`,
  );
  process.exit(1);
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { launch } = await import('./bootstrap/launch.mjs');
process.exitCode = await launch(root, process.argv.slice(2), process.env);
