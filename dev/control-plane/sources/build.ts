/**
 * A build from Go modules that are pinned in `../go/`, for machines that reach a module proxy but no release
 * archive. Takes three minutes on two cores the first time. `DCMARKET_GO` names another compiler than the
 * `go` of PATH.
 */
import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Context, Environment } from '../../context.ts';
import { Failure, messageOf } from '../../failure.ts';
import { signalProcess } from '../../processes/managed-process.ts';
import { KUBERNETES_VERSION } from '../versions.ts';

const MODULES = join(import.meta.dirname, '..', 'go');
const [MAJOR, MINOR] = KUBERNETES_VERSION.split('.');
const VERSION_PACKAGE = 'k8s.io/component-base/version';
/** Without these the API server calls itself 0.0.0, and kubectl complains. */
const KUBERNETES_FLAGS = [
  `-X ${VERSION_PACKAGE}.gitVersion=v${KUBERNETES_VERSION}`,
  `-X ${VERSION_PACKAGE}.gitMajor=${MAJOR}`,
  `-X ${VERSION_PACKAGE}.gitMinor=${MINOR}`,
];
/** Smallest first, so that what is missing (a proxy, disk) shows early. */
const PROGRAMS = [
  { name: 'etcd', module: 'etcd', package: 'go.etcd.io/etcd/server/v3', flags: [] },
  {
    name: 'kubectl',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kubectl',
    flags: KUBERNETES_FLAGS,
  },
  {
    name: 'kube-apiserver',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    flags: KUBERNETES_FLAGS,
  },
] as const;
const GO_MINOR = 26;
/** From here on Go fetches the toolchain that a module asks for, unless GOTOOLCHAIN forbids it. */
const GO_MINOR_SWITCHING = 21;
const TAIL_LINES = 8;
const MB = 1e6;

/** Puts the three binaries into `folder`. Throws `BuildFailed`. */
export async function buildBinaries(context: Context, folder: string): Promise<void> {
  const go = findGo(context.env);
  await requireUsableGo(go, context);
  const done: string[] = [];
  for (const [index, program] of PROGRAMS.entries()) {
    const output = join(folder, program.name);
    const prefix = `${done.length > 0 ? `${done.join(', ')}; ` : ''}building ${program.name} (${index + 1} of ${PROGRAMS.length})`;
    context.report(prefix);
    await runGo(go, context, {
      cwd: join(MODULES, program.module),
      args: [
        ...[
          'build',
          '-v',
          '-trimpath',
          '-buildvcs=false',
          '-ldflags',
          ['-s', '-w', ...program.flags].join(' '),
        ],
        ...['-o', output, program.package],
      ],
      onProgress: ({ packages, modules }) =>
        context.report(
          `${prefix}, ${packages} packages compiled${modules > 0 ? `, ${modules} modules fetched` : ''}`,
        ),
    });
    done.push(`${program.name} ${(statSync(output).size / MB).toFixed(0)} MB`);
  }
}

/** The compiler's path. Throws `BuildFailed` when there is none. */
export function findGo(env: Environment): string {
  const named = env['DCMARKET_GO'];
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = named ? [named] : [...folders, '/usr/local/go/bin'].map((folder) => join(folder, 'go'));
  const found = candidates.find(isExecutable);
  if (found) return found;
  throw new Failure(
    'BuildFailed',
    named ? `DCMARKET_GO names ${named}, which is no program` : 'there is no `go` in PATH',
  );
}

async function requireUsableGo(go: string, { env, signal }: Context): Promise<void> {
  let answer: string;
  try {
    answer = (
      await promisify(execFile)(go, ['env', 'GOVERSION', 'GOTOOLCHAIN'], {
        env: { ...env },
        cwd: '/',
        signal,
      })
    ).stdout;
  } catch (cause) {
    signal.throwIfAborted();
    throw new Failure('BuildFailed', `${go} does not run: ${messageOf(cause)}`, { cause });
  }
  const [version = '', toolchain = ''] = answer.split('\n');
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0);
  if (minor >= GO_MINOR || (minor >= GO_MINOR_SWITCHING && toolchain !== 'local')) return;
  const switching =
    minor >= GO_MINOR_SWITCHING ? ', and GOTOOLCHAIN=local keeps it from fetching a newer one' : '';
  throw new Failure(
    'BuildFailed',
    `${go} is ${version || 'of unknown version'}; 1.${GO_MINOR} is needed${switching}`,
  );
}

type GoRun = Readonly<{
  cwd: string;
  args: readonly string[];
  onProgress: (seen: { packages: number; modules: number }) => void;
}>;

function runGo(go: string, { env, signal }: Context, { cwd, args, onProgress }: GoRun): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(go, [...args], {
      cwd,
      // A group of its own: the compilers that it starts must end with it.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    });
    const onAbort = (): void => {
      if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const seen = { packages: 0, modules: 0 };
    const tail: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('go: downloading ')) seen.modules += 1;
      else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) seen.packages += 1;
      else tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onProgress(seen);
    });
    child.once('error', (cause) =>
      reject(new Failure('BuildFailed', `${go} could not be started`, { cause })),
    );
    child.once('close', (code) => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else
        reject(
          new Failure(
            'BuildFailed',
            `go build ended with code ${code}:\n${tail.map((line) => `    ${line}`).join('\n')}`,
          ),
        );
    });
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
