/**
 * The process that is an instance: an SSH server on the instance's loopback port. Its command line carries the
 * tags, so the host's process list is the list of instances. It ends on SIGTERM, with all that was started in it.
 */
import { closeSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { parseDaemonArguments } from './arguments.mjs';
import { ensureHostKey } from './host-key.mjs';
import { load, pathsOf, writeJson } from './instance.mjs';
import { endTenant } from './processes.mjs';
import { codeOf, Refusal } from './refusal.mjs';
import { startServer } from './ssh-server.mjs';
import { assertUser, isRoot } from './tenant.mjs';

const O_CLOEXEC = 0o2000000;
const { root, externalId, port } = parseDaemonArguments(process.argv.slice(3));
const paths = pathsOf(root, externalId);

async function main() {
  process.umask(0o022);
  closeInherited();
  if (isRoot()) process.setgroups?.([]); // so no session can inherit a group of root's
  const instance = load(root, externalId);
  if (!instance) throw new Refusal('permanent', `${paths.record} is missing`);
  assertUser(instance);
  const room = { externalId, folder: paths.folder, home: paths.home, uid: instance.uid };
  process.on('SIGTERM', () => void stop(room));
  process.on('SIGINT', () => void stop(room));
  // One broken connection must not take the instance and every other session with it.
  process.on('uncaughtException', (error) => log(`unexpected: ${error.stack ?? error}`));

  const sshKeys = () => load(root, externalId)?.sshKeys ?? [];
  const password = () => load(root, externalId)?.password;
  const { privateKey, fingerprint } = ensureHostKey(paths);
  await startServer({ room, port, privateKey, sshKeys, password, log });
  rmSync(paths.failure, { force: true });
  const startedAt = new Date().toISOString();
  writeJson(paths.runtime, { pid: process.pid, port, hostKeyFingerprint: fingerprint, startedAt });
  log(`listening on port ${port} as process ${process.pid}`);
}

/**
 * Whoever ran the agent may have had files open that it passed on without meaning to; a tenant must not get them.
 * What Node opens itself is marked to be closed for children, what was inherited is not.
 */
function closeInherited() {
  if (process.platform !== 'linux') return;
  for (const fd of readdirSync('/proc/self/fd')
    .map(Number)
    .filter((number) => number > 2)) {
    try {
      const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
      if ((Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(fd);
    } catch {
      // the descriptor of the directory that was read: closed already
    }
  }
}

/** @param {import('./session.mjs').Room} room */
async function stop(room) {
  await endTenant(room).catch((error) => log(`stop: ${error.message}`));
  process.exit(0);
}

/** @param {string} text */
function log(text) {
  writeSync(2, `${new Date().toISOString()} ${text}\n`);
}

main().catch((error) => {
  log(`not started: ${error.stack ?? error}`);
  writeJson(paths.failure, { pid: process.pid, code: codeOf(error) ?? error.name, message: error.message });
  process.exit(1);
});
