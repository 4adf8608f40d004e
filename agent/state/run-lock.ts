/**
 * One `dc-agent run` for a state folder. Lock files have rising numbers and their owner's process in them; the
 * highest counts, and it is free once its owner is gone, so a SIGKILL blocks nobody. To take it means to create
 * the next number, which the file system gives to one only.
 */
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure } from '../failure.ts';
import { makePrivateFolder, readIfThere } from '../files.ts';

/** Throws Failure that names the process that has it. Answers how to let go. */
export function takeRunLock(stateFolder: string): () => void {
  const folder = join(stateFolder, 'lock');
  makePrivateFolder(folder);
  for (;;) {
    const highest = highestOf(folder);
    const owner = ownerOf(folder, highest);
    if (owner) throw alreadyRunning(stateFolder, owner.pid);
    const mine = highest + 1;
    if (!create(folder, mine) || highestOf(folder) !== mine) continue;
    for (const name of readdirSync(folder))
      if (name !== String(mine)) rmSync(join(folder, name), { force: true });
    return () => rmSync(join(folder, String(mine)), { force: true });
  }
}

/** The process that runs on this state folder; undefined when there is none. */
export function runningProcess(stateFolder: string): number | undefined {
  const folder = join(stateFolder, 'lock');
  try {
    return ownerOf(folder, highestOf(folder))?.pid;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function alreadyRunning(stateFolder: string, pid: number): Failure {
  return new Failure(`dc-agent runs on ${stateFolder} already, as process ${pid}`, {
    next: `Stop that one first (systemctl stop dc-agent, or kill ${pid}); a second agent needs a --config of its own.`,
  });
}

const highestOf = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );

function create(folder: string, number: number): boolean {
  const temporary = join(folder, `new-${process.pid}`);
  writeFileSync(temporary, `${process.pid} ${startOf(process.pid)}`, { mode: 0o600 });
  try {
    linkSync(temporary, join(folder, String(number))); // with all its content or not at all
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function ownerOf(folder: string, number: number): Readonly<{ pid: number }> | undefined {
  const [pid, start] = (readIfThere(join(folder, String(number))) ?? '').split(' ');
  if (!pid || !isAlive(Number(pid))) return undefined;
  return startOf(Number(pid)) === (start ?? '') ? { pid: Number(pid) } : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Boot and ticks since it: a process id that was given out again has another start. Empty where /proc is not. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return '';
  }
}
