/** Starts, awaits and ends the process of an instance. Whoever starts or ends one holds the lock. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { daemonArguments, parseDaemonArguments } from './arguments.mjs';
import { pathsOf, readJson } from './instance.mjs';
import { end, endTenant, instanceProcesses, MARKER, startOf } from './processes.mjs';
import { Refusal } from './refusal.mjs';

const DAEMON = fileURLToPath(new URL('./daemon.mjs', import.meta.url));
const READY_MS = 15_000;

/** @typedef {import('./instance.mjs').Instance} Instance */
/** @typedef {import('./arguments.mjs').Described & { pid: number }} Daemon */

/**
 * The instances that run below this root, as their command lines describe them.
 * @param {string} root
 * @returns {Daemon[]}
 */
export function running(root) {
  return instanceProcesses()
    .map(({ pid, args }) => ({ pid, ...parseDaemonArguments(args) }))
    .filter((daemon) => daemon.root === root);
}

/**
 * @param {string} root
 * @param {string} externalId
 */
export const findRunning = (root, externalId) =>
  running(root).find((daemon) => daemon.externalId === externalId);

/**
 * Starts it with an empty environment, detached: it outlives this program and the agent.
 * @param {string} root
 * @param {Instance} instance
 * @returns {Promise<number>} the process, which is not ready yet
 */
export async function launch(root, instance) {
  const { folder, log } = pathsOf(root, instance.externalId);
  await endTenant({ uid: instance.uid, folder }); // what a daemon that was killed has left
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [DAEMON, MARKER, ...daemonArguments({ ...instance, root })], {
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      stdio: ['ignore', output, output],
    });
    child.unref();
    await new Promise((resolve, reject) =>
      child.once('spawn', () => resolve(undefined)).once('error', reject),
    );
    return /** @type {number} */ (child.pid); // it has one: it was spawned
  } finally {
    closeSync(output);
  }
}

/**
 * Waits until the process `pid` listens.
 * @param {string} root
 * @param {string} externalId
 * @param {number} pid
 * @returns {Promise<{ runtime: import('./instance.mjs').Runtime } | { failure: import('./instance.mjs').Failure }>}
 */
export async function ready(root, externalId, pid) {
  const paths = pathsOf(root, externalId);
  for (const until = performance.now() + READY_MS; performance.now() < until; await delay(10)) {
    const isThere = startOf(pid) !== undefined; // asked first: what it wrote before it ended is there to be read
    /** @type {import('./instance.mjs').Runtime | undefined} */
    const runtime = readJson(paths.runtime);
    if (isThere && runtime?.pid === pid) return { runtime };
    /** @type {import('./instance.mjs').Failure | undefined} */
    const failure = readJson(paths.failure);
    if (failure?.pid === pid) return { failure };
    if (!isThere)
      return { failure: { pid, code: 'Ended', message: `it ended at once; ${lastWords(paths.log)}` } };
  }
  throw new Refusal(
    'transient',
    `${externalId} did not listen within ${READY_MS / 1000} s; see ${paths.log}`,
  );
}

/**
 * Ends the process and everything that its tenant has started.
 * @param {string} root
 * @param {{ externalId: string, uid: number | null }} instance
 */
export async function halt(root, { externalId, uid }) {
  const daemon = findRunning(root, externalId);
  if (daemon) await end(daemon.pid);
  await endTenant({ uid, folder: pathsOf(root, externalId).folder });
}

/** @param {string} path */
function lastWords(path) {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return `last line of ${path}: ${lines.at(-1)?.slice(0, 300)}`;
}
