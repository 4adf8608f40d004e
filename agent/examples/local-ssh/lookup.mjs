/** Finds an instance, whether it runs or not, refuses it when it is another's, and words what is said about it. */
import { load, pathsOf, readJson } from './instance.mjs';
import { Refusal } from './refusal.mjs';
import { HOST } from './settings.mjs';
import { findRunning } from './supervise.mjs';
import { assertUser, USER } from './tenant.mjs';

/** @typedef {import('./instance.mjs').Tags} Tags */
/** @typedef {import('./instance.mjs').Runtime} Runtime */

/**
 * An instance by its tags: those of its process, else those in its folder. `pid` undefined: it is stopped.
 * @param {string} root
 * @param {string} externalId
 * @returns {(Tags & { externalId: string, port: number, uid: number | null, pid?: number }) | undefined}
 */
export function find(root, externalId) {
  return findRunning(root, externalId) ?? load(root, externalId);
}

/** @param {string} root @param {string} externalId @param {Partial<Tags>} tags */
export function findOrRefuse(root, externalId, tags) {
  const existing = find(root, externalId);
  if (!existing) throw missing(externalId);
  refuseForeign(existing, tags);
  return existing;
}

/** The folder of an instance that may go on living. @param {string} root @param {{ externalId: string }} existing */
export function usable(root, { externalId }) {
  const saved = load(root, externalId);
  if (!saved) throw new Refusal('permanent', `${externalId} runs, but its folder is gone: terminate it`);
  if (saved.isBeingDestroyed)
    throw new Refusal('permanent', `${externalId} is half destroyed: terminate it again`);
  assertUser(saved);
  return saved;
}

/** @param {Tags} found @param {Partial<Tags>} wanted */
export function refuseForeign(found, wanted) {
  const names = /** @type {(keyof Tags)[]} */ (Object.keys(wanted));
  const differences = names
    .filter((name) => wanted[name] !== found[name])
    .map((name) => `${name} is ${found[name]}, not ${wanted[name]}`);
  if (differences.length > 0)
    throw new Refusal(
      'permanent',
      `this instance of contract ${found.contractId} is another's: ${differences.join('; ')}`,
    );
}

/** @param {Tags} found @param {Partial<Tags>} wanted */
export const isTagged = (found, wanted) =>
  /** @type {(keyof Tags)[]} */ (Object.keys(wanted)).every((name) => wanted[name] === found[name]);

/** @param {string} externalId @param {Runtime} runtime */
export function present(externalId, { port, hostKeyFingerprint }) {
  return {
    external_id: externalId,
    ip_address: HOST,
    ssh_port: port,
    ssh_user: USER,
    host_key_fingerprint: hostKeyFingerprint,
  };
}

/** As it was when it last ran. @param {string} root @param {string} externalId */
export function presentStopped(root, externalId) {
  /** @type {Runtime | undefined} */
  const runtime = readJson(pathsOf(root, externalId).runtime);
  if (runtime) return present(externalId, runtime);
  const port = find(root, externalId)?.port;
  return { external_id: externalId, ip_address: HOST, ssh_port: port, ssh_user: USER };
}

/** @param {string} externalId */
export const missing = (externalId) =>
  new Refusal('permanent', `there is no instance ${externalId} on this host`);

/** @param {string} externalId @param {import('./instance.mjs').Failure} failure */
export function notStarted(externalId, { code, message }) {
  if (code === 'EADDRINUSE')
    return new Refusal(
      'transient',
      `${externalId} cannot have its port back: another process took it (${message}). Free the port, then start it again`,
    );
  return new Refusal(code === 'Ended' ? 'transient' : 'permanent', `${externalId} did not start: ${message}`);
}
