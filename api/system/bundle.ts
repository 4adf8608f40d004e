/**
 * The agent as one file that needs only Node: bundled from its sources the first time somebody asks, then kept.
 * The native terminal helper stays out; without it a login has no terminal of its own, everything else works.
 */
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { build } from 'esbuild';
import { Problem } from '../../crds/problem.ts';

export type Bundle = Readonly<{ code: Buffer; sha256: string }>;

/** Node's version that a host needs. */
export const NODE_MAJOR_MIN = 22;

/** Native or optional, and never needed by `dc-agent` itself. */
const LEFT_OUT = ['@lydell/node-pty', 'cpu-features', '*.node'];

/** CommonJS packages inside the bundle still call `require` and look beside themselves (ssh2). */
const BANNER = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __dirname = import.meta.dirname;`;

/** Throws Problem NotReady when the sources are not there or cannot be bundled; the next call tries again. */
export function bundler(entry: string): () => Promise<Bundle> {
  let made: Promise<Bundle> | undefined;
  return () => {
    made ??= bundle(entry).catch((cause: unknown) => {
      made = undefined;
      throw new Problem('NotReady', 'The agent cannot be bundled on this server.', {
        next: 'Install dc-agent from the sources, or tell the operator of this server.',
        retryAfterSeconds: 30,
        cause,
      });
    });
    return made;
  };
}

async function bundle(entry: string): Promise<Bundle> {
  await access(entry);
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: `node${NODE_MAJOR_MIN}`,
    external: LEFT_OUT,
    banner: { js: BANNER },
    legalComments: 'none',
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (!file) throw new Error('the bundler answered no file');
  const code = Buffer.from(file.contents);
  return { code, sha256: createHash('sha256').update(code).digest('hex') };
}
