/**
 * The actions of the script protocol for instances that are processes of this host. Each may be repeated, and may
 * be killed at any moment: what is left is listed, and the next `provision` or `terminate` goes on from there.
 */

import { empty, erase, load, loadAll, make, pathsOf, readJson, save, sweep } from './instance.mjs';
import { withLock } from './lock.mjs';
import {
  find,
  findOrRefuse,
  isTagged,
  missing,
  notStarted,
  present,
  presentStopped,
  refuseForeign,
  usable,
} from './lookup.mjs';
import { hashed } from './password.mjs';
import { choosePort } from './ports.mjs';
import { externalIdOf, newTagsOf, passwordOf, sshKeysOf, tagsOf } from './request.mjs';
import { findRunning, halt, launch, ready, running } from './supervise.mjs';
import { assertReachable, chooseUid, furnish, USER } from './tenant.mjs';

/** @typedef {import('./instance.mjs').Instance} Instance */
/** @typedef {import('./instance.mjs').Tags} Tags */
/** @typedef {import('./instance.mjs').Runtime} Runtime */
/** @typedef {Record<string, unknown>} Request */

/** What a request of the reference agent does not say. */
const UNTAGGED = { epoch: 0, installation: 'untagged', agentUid: 'untagged' };
/** How often a port may be taken between choosing it and listening on it. */
const PORT_TRIES = 5;

/** @type {Record<string, (root: string, request: Request) => Promise<object>>} */
export const ACTIONS = {
  provision,
  get_instance: getInstance,
  terminate,
  start,
  stop,
  retag,
  reinstall,
  set_ssh_keys: setSshKeys,
  set_password: setPassword,
  list,
  health_check: healthCheck,
};

/** @param {string} root @param {Request} request */
async function provision(root, request) {
  assertReachable(root);
  const externalId = externalIdOf(request);
  const sshKeys = sshKeysOf(request);
  for (let attempt = 1; ; attempt++) {
    const pid = await withLock(root, async () => {
      sweep(root);
      const existing = find(root, externalId);
      if (!existing)
        return launch(root, await makeInstance(root, { externalId, sshKeys, tags: tagsOf(request) }));
      refuseForeign(existing, tagsOf(request));
      const saved = usable(root, existing);
      return existing.pid ?? launch(root, saved);
    });
    const outcome = await ready(root, externalId, pid);
    if ('runtime' in outcome) return { instance: present(externalId, outcome.runtime) };
    if (outcome.failure.code !== 'EADDRINUSE' || isKnownToTenant(root, externalId) || attempt === PORT_TRIES)
      throw notStarted(externalId, outcome.failure);
    await withLock(root, () => moveToOtherPort(root, externalId));
  }
}

/** @param {string} root @param {{ externalId: string, sshKeys: string[], tags: Partial<Tags> }} wanted */
async function makeInstance(root, { externalId, sshKeys, tags }) {
  const others = loadAll(root);
  const instance = {
    contractId: externalId.slice(3),
    ...UNTAGGED,
    ...tags,
    externalId,
    createdAt: new Date().toISOString(),
    port: await choosePort(portsOf(root)),
    uid: chooseUid(
      `${root}/${externalId}`,
      others.map(({ uid }) => uid),
    ),
    sshKeys,
    isBeingDestroyed: false,
  };
  make(root, instance, (home) => furnish(home, instance));
  return instance;
}

/** @param {string} root @param {Request} request */
async function terminate(root, request) {
  const externalId = externalIdOf(request);
  await withLock(root, async () => {
    sweep(root);
    const existing = find(root, externalId);
    if (!existing) return;
    refuseForeign(existing, tagsOf(request));
    const saved = load(root, externalId);
    if (saved) save(root, { ...saved, isBeingDestroyed: true });
    await halt(root, existing);
    if (saved) erase(root, externalId);
  });
  return {};
}

/** @param {string} root @param {Request} request */
async function start(root, request) {
  assertReachable(root);
  const externalId = externalIdOf(request);
  const pid = await withLock(root, async () => {
    const existing = findOrRefuse(root, externalId, tagsOf(request));
    const saved = usable(root, existing);
    return existing.pid ?? launch(root, saved);
  });
  const outcome = await ready(root, externalId, pid);
  if ('failure' in outcome) throw notStarted(externalId, outcome.failure);
  return { instance: present(externalId, outcome.runtime) };
}

/** @param {string} root @param {Request} request */
async function stop(root, request) {
  const externalId = externalIdOf(request);
  await withLock(root, async () => {
    await halt(root, findOrRefuse(root, externalId, tagsOf(request)));
  });
  return {};
}

/**
 * Gives it newer tags. It runs on if it ran: with a new process, since the process carries the tags; sessions end.
 * @param {string} root
 * @param {Request} request
 */
async function retag(root, request) {
  const externalId = externalIdOf(request);
  const newTags = newTagsOf(request);
  const pid = await withLock(root, async () => {
    const existing = find(root, externalId);
    if (!existing) throw missing(externalId);
    if (isTagged(existing, { ...tagsOf(request), ...newTags })) return existing.pid; // asked again
    refuseForeign(existing, tagsOf(request));
    const saved = usable(root, existing);
    if (existing.pid !== undefined) await halt(root, saved);
    const retagged = { ...saved, ...newTags };
    save(root, retagged);
    return existing.pid === undefined ? undefined : launch(root, retagged);
  });
  if (pid === undefined) return { instance: presentStopped(root, externalId) };
  const outcome = await ready(root, externalId, pid);
  if ('failure' in outcome) throw notStarted(externalId, outcome.failure);
  return { instance: present(externalId, outcome.runtime) };
}

/**
 * The same instance with an empty home and a new host key; its port stays. It runs afterwards.
 * @param {string} root
 * @param {Request} request
 */
async function reinstall(root, request) {
  assertReachable(root);
  const externalId = externalIdOf(request);
  const sshKeys = sshKeysOf(request);
  const pid = await withLock(root, async () => {
    sweep(root);
    const saved = usable(root, findOrRefuse(root, externalId, tagsOf(request)));
    await halt(root, saved);
    const renewed = { ...saved, sshKeys, password: undefined };
    empty(root, renewed, (home) => furnish(home, renewed));
    return launch(root, renewed);
  });
  const outcome = await ready(root, externalId, pid);
  if ('failure' in outcome) throw notStarted(externalId, outcome.failure);
  return { instance: present(externalId, outcome.runtime) };
}

/**
 * Who can log in from now on; sessions that are open stay. The daemon reads the keys at each login.
 * @param {string} root
 * @param {Request} request
 */
async function setSshKeys(root, request) {
  const externalId = externalIdOf(request);
  const sshKeys = sshKeysOf(request);
  await withLock(root, async () => {
    const saved = usable(root, findOrRefuse(root, externalId, tagsOf(request)));
    save(root, { ...saved, sshKeys });
  });
  return {};
}

/**
 * Logs in beside the keys from now on; an earlier one does not. The daemon reads it at each login.
 * @param {string} root
 * @param {Request} request
 */
async function setPassword(root, request) {
  const externalId = externalIdOf(request);
  const password = hashed(passwordOf(request));
  await withLock(root, async () => {
    const saved = usable(root, findOrRefuse(root, externalId, tagsOf(request)));
    save(root, { ...saved, password });
  });
  return { user: USER };
}

/** @param {string} root @param {Request} request */
async function getInstance(root, request) {
  const externalId = externalIdOf(request);
  if (!find(root, externalId)) return {};
  return { instance: presentStopped(root, externalId) };
}

/** @param {string} root @param {Request} request */
async function healthCheck(root, request) {
  const externalId = externalIdOf(request);
  const { pid } = findOrRefuse(root, externalId, tagsOf(request));
  if (pid === undefined) return { health: { status: 'unhealthy', reason: 'it is stopped' } };
  /** @type {Runtime | undefined} */
  const runtime = readJson(pathsOf(root, externalId).runtime);
  if (runtime?.pid !== pid) return { health: { status: 'unknown' } }; // on its way
  const uptime = Math.max(0, Math.floor((Date.now() - Date.parse(runtime.startedAt)) / 1000));
  return { health: { status: 'healthy', uptime_seconds: uptime } };
}

/**
 * What runs says so itself; only what does not run is read from its folder.
 * @param {string} root
 * @param {Request} request
 */
async function list(root, request) {
  const { installation } = tagsOf(request);
  const daemons = running(root);
  const ids = new Set(daemons.map(({ externalId }) => externalId));
  const stopped = loadAll(root).filter(({ externalId }) => !ids.has(externalId));
  const all = [
    ...daemons.map((it) => ({ ...it, state: 'running' })),
    ...stopped.map((it) => ({ ...it, state: 'stopped' })),
  ];
  const instances = all
    .filter((it) => installation === undefined || it.installation === installation)
    .map((it) => ({
      external_id: it.externalId,
      contract_id: it.contractId,
      epoch: it.epoch,
      installation: it.installation,
      agent_uid: it.agentUid,
      state: it.state,
      created_at: it.createdAt,
    }));
  return { instances };
}

/** @param {string} root */
const portsOf = (root) => new Set([...loadAll(root), ...running(root)].map(({ port }) => port));

/** It has listened before, so its port is not to be changed. @param {string} root @param {string} externalId */
const isKnownToTenant = (root, externalId) => readJson(pathsOf(root, externalId).runtime) !== undefined;

/** @param {string} root @param {string} externalId */
async function moveToOtherPort(root, externalId) {
  const saved = load(root, externalId);
  if (saved && !findRunning(root, externalId))
    save(root, { ...saved, port: await choosePort(portsOf(root)) });
}
