/**
 * An instance on disk, below the root folder:
 *
 *   dc-<contract>/                0711, ours
 *     instance.json               0600, tags, port, user, keys, hash of the password; written in one piece, the last to go
 *     host_key                    0600, made by the daemon at its first start, never again
 *     runtime.json, failure.json  what the daemon said when it last came up, or why it did not
 *     daemon.log
 *     home/                       0700, the tenant's
 *
 * A folder appears by one rename, with its tags in it, and goes by one, when the tenant's files are gone already:
 * whatever was interrupted is listed and can be destroyed.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Refusal } from './refusal.mjs';

/** @typedef {{ contractId: string, epoch: number, installation: string, agentUid: string }} Tags */
/**
 * @typedef {Tags & { externalId: string, createdAt: string, port: number, uid: number | null, sshKeys: string[],
 *   password?: import('./password.mjs').Password | undefined, isBeingDestroyed: boolean }} Instance `uid` null: the tenant has no user of its own.
 */
/** @typedef {{ pid: number, port: number, hostKeyFingerprint: string, startedAt: string }} Runtime */
/** @typedef {{ pid: number, code: string, message: string }} Failure */

/** @param {string} root @param {string} externalId */
export function pathsOf(root, externalId) {
  const folder = join(root, externalId);
  return {
    folder,
    record: join(folder, 'instance.json'),
    hostKey: join(folder, 'host_key'),
    runtime: join(folder, 'runtime.json'),
    failure: join(folder, 'failure.json'),
    log: join(folder, 'daemon.log'),
    home: join(folder, 'home'),
  };
}

/** @param {string} root @param {string} externalId @returns {Instance | undefined} */
export function load(root, externalId) {
  return readJson(pathsOf(root, externalId).record);
}

/** @param {string} root @returns {Instance[]} */
export function loadAll(root) {
  const names = readdirSync(root).filter((name) => name.startsWith('dc-'));
  return names.flatMap((name) => load(root, name) ?? []);
}

/** @param {string} root @param {Instance} instance */
export function save(root, instance) {
  writeJson(pathsOf(root, instance.externalId).record, instance);
}

/**
 * @param {string} root
 * @param {Instance} instance
 * @param {(home: string) => void} furnish fills the tenant's home before anybody can see it
 */
export function make(root, instance, furnish) {
  const hidden = join(root, `.new-${instance.externalId}`);
  removeTree(hidden);
  const paths = pathsOf(root, `.new-${instance.externalId}`);
  mkdirSync(paths.home, { recursive: true });
  chmodSync(hidden, 0o711); // not by mkdir, where the umask would have its say
  chmodSync(paths.home, 0o700);
  furnish(paths.home);
  writeJson(paths.record, instance);
  renameSync(hidden, pathsOf(root, instance.externalId).folder);
}

/**
 * A fresh home and no host key, for an instance that does not run. Interrupted it has a home or none, and its
 * tags: asked again it goes on from there.
 * @param {string} root
 * @param {Instance} instance
 * @param {(home: string) => void} furnish
 */
export function empty(root, instance, furnish) {
  const { home, hostKey, runtime, failure } = pathsOf(root, instance.externalId);
  removeTree(home);
  for (const file of [runtime, failure, hostKey]) rmSync(file, { force: true });
  save(root, instance);
  const hidden = join(root, `.new-${instance.externalId}-home`);
  removeTree(hidden);
  mkdirSync(hidden);
  chmodSync(hidden, 0o700);
  furnish(hidden);
  renameSync(hidden, home);
}

/**
 * Removes the folder: first what is the tenant's, the tags last.
 * @param {string} root
 * @param {string} externalId
 */
export function erase(root, externalId) {
  const { folder, record } = pathsOf(root, externalId);
  const names = readdirSync(folder).filter((name) => join(folder, name) !== record);
  for (const name of names) removeTree(join(folder, name));
  const hidden = join(root, `.gone-${externalId}`);
  removeTree(hidden);
  renameSync(folder, hidden);
  removeTree(hidden);
}

/** Removes what an interrupted `make` or `erase` left. Only under the lock. @param {string} root */
export function sweep(root) {
  for (const name of readdirSync(root)) if (/^\.(new|gone)-/.test(name)) removeTree(join(root, name));
}

/** @param {string} path */
function removeTree(path) {
  const options = { recursive: true, force: true, maxRetries: 3 };
  try {
    rmSync(path, options);
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error;
    spawnSync('chmod', ['-R', 'u+rwx', path], { stdio: 'ignore' }); // a tenant may lock its own folders, even from us
    rmSync(path, options);
  }
}

/** Undefined when the file is not there. @template T @param {string} path @returns {T | undefined} */
export function readJson(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(
      'configuration',
      `${path} is damaged; restore it, or stop its process and remove the folder`,
    );
  }
}

/** The file has its old content or the new one, never half of it. @param {string} path @param {unknown} value */
export function writeJson(path, value) {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
