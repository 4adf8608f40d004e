/**
 * Looks at the host's processes: in /proc where there is one, with `ps` elsewhere. An instance is a process whose
 * command line begins with the daemon, then MARKER, then its tags, and whose real user is ours: a tenant can give
 * its processes any command line, but not our user (unless everything runs as one user, see README.md).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, Refusal } from './refusal.mjs';

/** The first argument of every instance's process. */
export const MARKER = 'dcmarket-local-ssh-instance';
/** In the environment of everything that a tenant starts; its value is the instance's folder. */
export const FOLDER_VARIABLE = 'DC_INSTANCE_FOLDER';

const HAS_PROC = existsSync('/proc/self/stat');
const OUR_UID = process.getuid?.() ?? -1;

/** @typedef {{ pid: number, parent: number, uids: number[], args: string[], isZombie: boolean }} Process */

/**
 * The processes of instances, as arguments after MARKER.
 * @returns {{ pid: number, args: string[] }[]}
 */
export function instanceProcesses() {
  const found = (HAS_PROC ? readProc((args) => args[2] === MARKER) : readPs()).filter(
    ({ args, uids, isZombie }) => args[2] === MARKER && uids[0] === OUR_UID && !isZombie,
  );
  // Between fork and exec a child has its parent's command line: only the parent is the instance.
  const pids = new Set(found.map(({ pid }) => pid));
  return found
    .filter(({ parent }) => !pids.has(parent))
    .map(({ pid, args }) => ({ pid, args: args.slice(3) }));
}

/**
 * Something that tells a process from a later one with the same number; undefined when it is gone.
 * @param {number} pid
 */
export function startOf(pid) {
  if (!HAS_PROC)
    return (
      run('ps', ['-o', 'lstart=', '-p', String(pid)])
        .trim()
        .replaceAll(' ', '-') || undefined
    );
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold anything
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    return ignoreGone(error);
  }
}

/**
 * Ends a process: politely for `graceMs`, then not. Resolves when it is gone.
 * @param {number} pid
 * @param {number} [graceMs]
 */
export async function end(pid, graceMs = 1500) {
  const start = startOf(pid);
  const isThere = () => start !== undefined && startOf(pid) === start;
  for (const [signal, ms] of /** @type {const} */ ([
    ['SIGTERM', graceMs],
    ['SIGKILL', 5000],
  ])) {
    if (!isThere()) return;
    send(pid, signal);
    for (const until = performance.now() + ms; performance.now() < until && isThere(); ) await delay(5);
  }
  if (isThere()) throw new Refusal('transient', `process ${pid} does not end, even by SIGKILL`);
}

/**
 * Ends everything that a tenant has started: all of its user, or what was started in its folder where the tenant
 * has no user of its own. Resolves when nothing is left.
 * @param {{ uid: number | null, folder: string }} tenant
 */
export async function endTenant({ uid, folder }) {
  for (let round = 0; round < 100; round++) {
    const left = uid === null ? inFolder(folder) : ofUser(uid);
    if (left.length === 0) return;
    // One call for all of a user's processes, by the kernel: nothing that forks on and on can outrun it.
    if (uid !== null)
      spawnSync('/bin/sh', ['-c', 'kill -9 -1'], { uid, gid: uid, stdio: 'ignore', cwd: '/' });
    for (const pid of left) send(pid, 'SIGKILL');
    await delay(round < 10 ? 5 : 50);
  }
  throw new Refusal('transient', `processes of the tenant in ${folder} do not end, even by SIGKILL`);
}

/**
 * @param {number} uid
 * @returns {number[]}
 */
export function ofUser(uid) {
  const all = HAS_PROC ? readProc(() => true) : readPs();
  return all.filter(({ uids, isZombie }) => uids.includes(uid) && !isZombie).map(({ pid }) => pid);
}

/** @param {string} folder */
function inFolder(folder) {
  if (!HAS_PROC) return [];
  return pidsOfProc().filter((pid) => {
    const environment = readOf(pid, 'environ')?.split('\0') ?? [];
    return environment.includes(`${FOLDER_VARIABLE}=${folder}`) && startOf(pid) !== undefined;
  });
}

/** @param {(args: string[]) => boolean} isWanted @returns {Process[]} */
function readProc(isWanted) {
  return pidsOfProc().flatMap((pid) => {
    const args = readOf(pid, 'cmdline')?.split('\0').slice(0, -1);
    const status = args && isWanted(args) ? readOf(pid, 'status') : undefined;
    if (!args || !status) return [];
    const uids = (/^Uid:\s+(.*)$/m.exec(status)?.[1] ?? '').split(/\s+/).map(Number);
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
    return [{ pid, parent, uids, args, isZombie: /^State:\s+[ZX]/m.test(status) }];
  });
}

const pidsOfProc = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** @param {number} pid @param {string} file */
function readOf(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    return ignoreGone(error);
  }
}

/** @returns {Process[]} */
function readPs() {
  return parsePs(run('ps', ['-axww', '-o', 'pid=,ppid=,ruid=,uid=,stat=,command=']));
}

/** Our daemons have no blank in any argument, so a blank separates. @param {string} output @returns {Process[]} */
export function parsePs(output) {
  return output.split('\n').flatMap((line) => {
    const [pid, parent, ruid, uid, state, ...args] = line.trim().split(/\s+/);
    if (!pid || !state) return [];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        uids: [Number(ruid), Number(uid)],
        args,
        isZombie: state.startsWith('Z'),
      },
    ];
  });
}

/** @param {string} program @param {string[]} args */
function run(program, args) {
  const { stdout, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error)
    throw new Refusal('configuration', `${program} is needed to see the processes: ${error.message}`);
  return stdout;
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** A process that ends while it is looked at is no error; EACCES and EPERM: not ours, so not of interest. */
function ignoreGone(/** @type {unknown} */ error) {
  if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return undefined;
  throw error;
}
