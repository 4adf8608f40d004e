/**
 * The published envtest archive: kube-apiserver, etcd and kubectl for most systems, found through an index
 * that has the SHA-512 of each. `DCMARKET_ENVTEST_INDEX` names another index (a mirror, or a test's). The
 * newest patch of our minor version is taken when exactly ours was not published.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, createWriteStream, globSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from 'undici';
import { parse } from 'yaml';
import { z } from 'zod';
import { withDeadline } from '../../../lib/abort.ts';
import type { Context, Environment } from '../../context.ts';
import { Failure } from '../../failure.ts';
import { BINARIES, KUBERNETES_VERSION, platformName } from '../versions.ts';

const INDEX = 'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';
const INDEX_MS = 20_000;
/** An archive is 60 to 90 MB; a connection that delivers nothing for this long is given up. */
const SILENCE_MS = 30_000;
const CONNECT_MS = 10_000;

const Index = z.object({
  releases: z.record(z.string(), z.record(z.string(), z.object({ hash: z.string(), selfLink: z.string() }))),
});
type Archive = Readonly<{ url: string; sha512: string }>;

/** Puts the three binaries into `folder`. Throws `DownloadFailed` or `DigestMismatch`. */
export async function downloadBinaries(context: Context, folder: string): Promise<void> {
  const indexUrl = context.env['DCMARKET_ENVTEST_INDEX'] || INDEX;
  const agent = new EnvHttpProxyAgent({ ...proxyOf(context.env), connect: { timeout: CONNECT_MS } });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  try {
    context.report(`asking ${new URL(indexUrl).host} for the archive`);
    const archive = findArchive(await getIndex(context, dispatcher, indexUrl), indexUrl);
    const file = join(folder, 'archive.tar.gz');
    const digest = await download(context, dispatcher, archive.url, file);
    if (digest !== archive.sha512.toLowerCase())
      throw new Failure(
        'DigestMismatch',
        `${archive.url} has SHA-512 ${short(digest)}, not ${short(archive.sha512)}`,
        {
          next: 'Try again; if it stays so, somebody changed the archive or the index.',
        },
      );
    context.report('unpacking');
    await unpack(file, folder, context.signal);
  } catch (cause) {
    context.signal.throwIfAborted();
    if (cause instanceof Failure) throw cause;
    throw new Failure('DownloadFailed', `the envtest archive could not be fetched through ${indexUrl}`, {
      cause,
    });
  } finally {
    await agent.destroy();
  }
}

async function getIndex(
  context: Context,
  dispatcher: Dispatcher,
  url: string,
): Promise<z.infer<typeof Index>> {
  const { statusCode, body } = await request(url, {
    dispatcher,
    signal: withDeadline(context.signal, INDEX_MS),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Failure('DownloadFailed', `${url} answers ${statusCode}`);
  return Index.parse(parse(text));
}

function findArchive({ releases }: z.infer<typeof Index>, indexUrl: string): Archive {
  const minor = KUBERNETES_VERSION.split('.').slice(0, 2).join('.');
  const patches = Object.keys(releases)
    .filter((name) => new RegExp(`^v${minor.replace('.', '\\.')}\\.\\d+$`).test(name))
    .sort((a, b) => patchOf(b) - patchOf(a));
  const wanted = `v${KUBERNETES_VERSION}`;
  for (const version of patches.includes(wanted) ? [wanted, ...patches] : patches) {
    const found = releases[version]?.[`envtest-${version}-${platformName()}.tar.gz`];
    if (found) return { url: new URL(found.selfLink, indexUrl).href, sha512: found.hash };
  }
  throw new Failure('DownloadFailed', `the index has no archive of ${minor} for ${platformName()}`);
}

/** Answers the SHA-512 of what was written. */
async function download(
  context: Context,
  dispatcher: Dispatcher,
  url: string,
  file: string,
): Promise<string> {
  const { statusCode, headers, body } = await request(url, {
    dispatcher,
    signal: context.signal,
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  });
  if (statusCode !== 200) {
    await body.dump();
    throw new Failure('DownloadFailed', `${url} answers ${statusCode}`);
  }
  const total = Number(headers['content-length'] ?? 0);
  const hash = createHash('sha512');
  let received = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      received += chunk.length;
      context.report(`downloading ${megabytes(received)}${total > 0 ? ` of ${megabytes(total)}` : ''} MB`);
      done(null, chunk);
    },
  });
  await pipeline(body, count, createWriteStream(file), { signal: context.signal });
  return hash.digest('hex');
}

async function unpack(archive: string, folder: string, signal: AbortSignal): Promise<void> {
  const unpacked = join(folder, 'unpacked');
  mkdirSync(unpacked);
  await promisify(execFile)('tar', ['-xzf', archive, '-C', unpacked], { signal });
  for (const name of BINARIES) {
    const [found] = globSync(`**/${name}`, { cwd: unpacked });
    if (!found) throw new Failure('DownloadFailed', `the archive holds no ${name}`);
    copyFileSync(join(unpacked, found), join(folder, name));
    chmodSync(join(folder, name), 0o755);
  }
  rmSync(unpacked, { recursive: true });
  rmSync(archive);
}

function proxyOf(env: Environment): { httpProxy?: string; httpsProxy?: string; noProxy?: string } {
  const of = (name: string): string | undefined => env[name] || env[name.toUpperCase()];
  const [httpProxy, httpsProxy, noProxy] = [of('http_proxy'), of('https_proxy'), of('no_proxy')];
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) };
}

const patchOf = (version: string): number => Number(version.split('.')[2]);
const short = (digest: string): string => `${digest.slice(0, 12)}…`;
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
