/**
 * Tells a process from a later one that was given the same pid: the identity is the boot and the instant it
 * started. Plain JavaScript, because the bootstrap uses it on Node 20 before anything is installed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Identity of a process that runs now; undefined when there is none with this pid, or only its zombie. */
export function identityOf(pid) {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

/** True while the process that was recorded as `{ pid, identity }` is alive. */
export function isAlive({ pid, identity }) {
  const current = identityOf(pid);
  return current !== undefined && current === identity;
}

function fromProc(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets and may hold anything; the rest is plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot}/${fields[19]}`; // field 22 of proc(5): start time in clock ticks since boot
}

function fromPs(pid) {
  const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [state, ...started] = line.split(/\s+/);
  if (!state || state.startsWith('Z')) return undefined;
  return started.join(' ');
}
