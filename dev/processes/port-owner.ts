/**
 * Who listens on a TCP port: from /proc on Linux (no program needed), from `lsof` elsewhere. The pid of
 * another user's process is only visible to root; then the answer is that somebody has it.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type PortOwner = Readonly<{ pid: number; command: string }>;

/** State LISTEN in /proc/net/tcp. */
const LISTEN = '0A';

/** Undefined when nobody listens, or the system does not tell us who. */
export function findPortOwner(port: number): PortOwner | undefined {
  const pid = process.platform === 'linux' ? pidFromProc(port) : pidFromLsof(port);
  return pid === undefined ? undefined : { pid, command: commandOf(pid) };
}

export function describeOwner(owner: PortOwner | undefined): string {
  return owner ? `process ${owner.pid} (${owner.command})` : 'a process of another user';
}

/** The command line of a process, shortened; `unknown` when it cannot be read. */
export function commandOf(pid: number): string {
  try {
    const line =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return line.trim().slice(0, 120) || 'unknown';
  } catch {
    return 'unknown';
  }
}

function pidFromProc(port: number): number | undefined {
  const sockets = new Set(listeningInodes(port).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && linksOf(`/proc/${entry}/fd`).some((link) => sockets.has(link))) return pid;
  }
  return undefined;
}

function listeningInodes(port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readLines(file).flatMap((line) => {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
      const fields = line.trim().split(/\s+/);
      const [, local, , state] = fields;
      const inode = fields[9];
      return local?.endsWith(suffix) && state === LISTEN && inode ? [inode] : [];
    }),
  );
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function linksOf(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // gone, or of another user
  }
  return names.map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      return '';
    }
  });
}

function pidFromLsof(port: number): number | undefined {
  try {
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp'];
    const out = execFileSync('lsof', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = Number(/^p(\d+)/m.exec(out)?.[1]);
    return Number.isInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}
