/** Stand-ins for tests of where the binaries come from: programs that only print versions, a compiler, an archive. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '../../lib/fake-clock.ts';
import type { Context, Environment } from '../context.ts';
import { BINARIES, KUBERNETES_VERSION, platformName } from './versions.ts';

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'dcmarket-unit-'));
}

export type TestContext = Context & Readonly<{ reports: string[] }>;

/** PATH holds `sh` and `tar`, and no Go. */
export function testContext(
  env: Environment = {},
  signal: AbortSignal = new AbortController().signal,
): TestContext {
  const reports: string[] = [];
  return {
    env: {
      PATH: '/usr/bin:/bin',
      DCMARKET_GO: '/nonexistent/go',
      DCMARKET_ENVTEST_INDEX: 'http://127.0.0.1:9/index',
      ...env,
    },
    clock: fakeClock(),
    signal,
    report: (what) => reports.push(what),
    reports,
  };
}

/** Fills `folder` with three programs that answer as the real ones do. */
export function writeStandIns(folder: string, version: string = KUBERNETES_VERSION): string {
  mkdirSync(folder, { recursive: true });
  for (const name of BINARIES) writeProgram(join(folder, name), `echo "${name} v${version}"`);
  return folder;
}

/**
 * A program that takes the arguments of `go`, says what Go says, and "compiles" programs as above. It writes a
 * line to `calls` for each build.
 */
export function writeCompiler(
  folder: string,
  { version = 'go1.26.8', toolchain = 'auto', fails = '', lasts = '0' } = {},
): {
  go: string;
  builds: () => number;
} {
  const go = join(folder, 'go');
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  writeProgram(
    go,
    `if [ "$1" = env ]; then echo "${version}"; echo "${toolchain}"; exit 0; fi
echo "$*" >> "${calls}"
echo "go: downloading example.org/module v1.0.0" >&2
echo "example.org/module/package" >&2
${fails ? `echo "${fails}" >&2; exit 1` : ''}
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho "%s v${KUBERNETES_VERSION}"\\n' "\${2##*/}" > "$2"
chmod 755 "$2"
${lasts === '0' ? '' : `sleep ${lasts}`}`,
  );
  return { go, builds: () => readFileSync(calls, 'utf8').split('\n').length - 1 };
}

/** Serves an index and an archive of stand-ins on the loopback address. */
export async function serveArchive({
  version = KUBERNETES_VERSION,
  digest,
}: {
  version?: string;
  digest?: string;
} = {}): Promise<{ index: string; requests: string[]; close: () => void }> {
  const folder = temporaryFolder();
  writeStandIns(join(folder, 'controller-tools', 'envtest'), version);
  const file = join(folder, 'archive.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', folder, 'controller-tools']);
  const archive = readFileSync(file);
  rmSync(folder, { recursive: true });
  const name = `envtest-v${version}-${platformName()}.tar.gz`;
  const hash = digest ?? createHash('sha512').update(archive).digest('hex');
  const releases = { [`v${version}`]: { [name]: { hash, selfLink: `/${name}` } } };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/index.yaml') response.end(JSON.stringify({ releases }));
    else if (request.url === `/${name}`) response.end(archive);
    else response.writeHead(404).end();
  });
  const port = await listen(server);
  return { index: `http://127.0.0.1:${port}/index.yaml`, requests, close: () => void server.close() };
}

function writeProgram(file: string, script: string): void {
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address) resolve(address.port);
      else reject(new Error('no port'));
    });
  });
}
