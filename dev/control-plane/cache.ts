/**
 * The cache of binaries: `${XDG_CACHE_HOME:-~/.cache}/dcmarket/control-plane/<version>-<os>-<arch>/`. A folder
 * there is complete or not used at all: it is filled under another name and renamed, and `complete.json` has
 * the size, the instant and the SHA-256 of each file, so that a damaged one is noticed and made again.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { waitForLock } from '../bootstrap/lock.mjs';
import type { Context, Environment } from '../context.ts';
import { writeFileAtomically } from '../files.ts';
import { missingBinaries, probeVersion } from './binaries.ts';
import { BINARIES, KUBERNETES_VERSION, platformName } from './versions.ts';

const MANIFEST = 'complete.json';
const TEMPORARY = '.new-';

const Manifest = z.object({
  version: z.string(),
  files: z.record(z.string(), z.object({ size: z.number(), mtimeMs: z.number(), sha256: z.string() })),
});

export type Cached = Readonly<{ folder: string; version: string }>;

export function cacheRoot(env: Environment): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'dcmarket', 'control-plane');
}

export function cacheFolder(root: string): string {
  return join(root, `${KUBERNETES_VERSION}-${platformName()}`);
}

/** What the cache holds, when it is whole. A folder that somebody filled by hand is taken if it runs. */
export async function readCache(root: string, signal: AbortSignal): Promise<Cached | undefined> {
  const folder = cacheFolder(root);
  if (missingBinaries(folder).length > 0) return undefined;
  const manifest = readManifest(folder);
  if (manifest) return (await isWhole(folder, manifest)) ? { folder, version: manifest.version } : undefined;
  if (existsSync(join(folder, MANIFEST))) return undefined; // damaged
  try {
    const version = await probeVersion(folder, signal);
    await writeManifest(folder, version);
    return { folder, version };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * Has `fill` put the three binaries into an empty folder, then makes that folder the cache. One process at a
 * time fills; another one that waited finds the result and does nothing.
 */
export async function fillCache(
  context: Context,
  root: string,
  fill: (folder: string) => Promise<void>,
): Promise<Cached & { filledByUs: boolean }> {
  const { signal, report } = context;
  mkdirSync(root, { recursive: true });
  const release = await waitForLock(join(root, '.lock'), 'getting the control plane', {
    signal,
    onWait: (owner) => report(`waiting for process ${owner.pid}, which is getting it already`),
  });
  try {
    const present = await readCache(root, signal);
    if (present) return { ...present, filledByUs: false };
    for (const name of readdirSync(root))
      if (name.startsWith(TEMPORARY)) rmSync(join(root, name), { recursive: true, force: true });
    const temporary = join(root, `${TEMPORARY}${randomUUID()}`);
    mkdirSync(temporary);
    try {
      await fill(temporary);
      const version = await probeVersion(temporary, signal);
      await writeManifest(temporary, version);
      const folder = cacheFolder(root);
      rmSync(folder, { recursive: true, force: true }); // damaged, or it would have been used
      renameSync(temporary, folder);
      return { folder, version, filledByUs: true };
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  } finally {
    release();
  }
}

async function isWhole(folder: string, manifest: z.infer<typeof Manifest>): Promise<boolean> {
  for (const name of BINARIES) {
    const known = manifest.files[name];
    const { size, mtimeMs } = statSync(join(folder, name));
    if (!known || known.size !== size) return false;
    // An untouched file needs no reading; one that was copied here, or written to, does.
    if (known.mtimeMs !== mtimeMs && known.sha256 !== (await sha256(join(folder, name)))) return false;
  }
  return true;
}

async function writeManifest(folder: string, version: string): Promise<void> {
  const files: z.infer<typeof Manifest>['files'] = {};
  for (const name of BINARIES) {
    const { size, mtimeMs } = statSync(join(folder, name));
    files[name] = { size, mtimeMs, sha256: await sha256(join(folder, name)) };
  }
  writeFileAtomically(join(folder, MANIFEST), `${JSON.stringify({ version, files }, null, 2)}\n`);
}

function readManifest(folder: string): z.infer<typeof Manifest> | undefined {
  try {
    return Manifest.parse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')));
  } catch {
    return undefined;
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
