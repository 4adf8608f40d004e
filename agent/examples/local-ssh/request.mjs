/** Reads the agent's request: only what these scripts use, and nothing that could leave the root folder. */
import { Refusal } from './refusal.mjs';

/** @typedef {import('./instance.mjs').Tags} Tags */

const CONTRACT = /^[0-9A-Za-z_-]{1,64}$/;
const EXTERNAL_ID = /^dc-[0-9A-Za-z_-]{1,64}$/;
const KEY = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/;

/**
 * @param {string} text
 * @returns {Record<string, unknown>}
 */
export function parseRequest(text) {
  let request;
  try {
    request = JSON.parse(text);
  } catch {
    throw new Refusal('permanent', 'stdin is not one JSON document; this program is run by dc-agent');
  }
  if (typeof request !== 'object' || request === null)
    throw new Refusal('permanent', 'stdin is not a JSON object');
  return request;
}

/** @param {Record<string, unknown>} request */
export function externalIdOf(request) {
  if (request['external_id'] != null) return matching(request, 'external_id', EXTERNAL_ID);
  return `dc-${matching(request, 'contract_id', CONTRACT)}`;
}

/**
 * The tags that the request names; the reference agent names none of them but the contract.
 * @param {Record<string, unknown>} request
 * @returns {Partial<Tags>}
 */
export function tagsOf(request) {
  return clean({
    contractId: optional(request, 'contract_id', CONTRACT),
    epoch: integer(request, 'epoch'),
    installation: optional(request, 'installation', /^[\x21-\x7e]{1,253}$/),
    agentUid: optional(request, 'agent_uid', /^[\x21-\x7e]{1,253}$/),
  });
}

/** The tags that `retag` gives. @param {Record<string, unknown>} request @returns {Partial<Tags>} */
export function newTagsOf(request) {
  const epoch = integer(request, 'new_epoch');
  if (epoch === undefined) throw new Refusal('permanent', 'new_epoch is missing');
  return clean({ epoch, agentUid: optional(request, 'new_agent_uid', /^[\x21-\x7e]{1,253}$/) });
}

/**
 * The tenant's public keys, at least one that can be used.
 * @param {Record<string, unknown>} request
 */
export function sshKeysOf(request) {
  const { ssh_public_keys: several, requester_ssh_pubkey: one } = request;
  const given = (Array.isArray(several) && several.length > 0 ? several : [one]).filter(
    (key) => typeof key === 'string',
  );
  const usable = given.map((key) => key.trim()).filter(isKey);
  if (usable.length === 0)
    throw new Refusal(
      'permanent',
      `none of the ${given.length} SSH keys can be used; wanted: ssh-ed25519, ssh-rsa or ecdsa`,
    );
  return usable;
}

/** Never repeated in a refusal. @param {Record<string, unknown>} request */
export function passwordOf({ password }) {
  if (typeof password === 'string' && /^[\x20-\x7e]{12,256}$/.test(password)) return password;
  throw new Refusal('permanent', 'the password is missing, or not 12 to 256 printable characters');
}

/** The type in front must be the one inside. @param {string} text */
function isKey(text) {
  const [, type, data] = KEY.exec(text) ?? [];
  if (!type || !data) return false;
  const blob = Buffer.from(data, 'base64');
  return blob.length > 4 + type.length + 32 && blob.toString('latin1', 4, 4 + type.length) === type;
}

/** @param {Record<string, unknown>} request @param {string} name @param {RegExp} pattern */
function matching(request, name, pattern) {
  const value = request[name];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new Refusal('permanent', `${name} is ${JSON.stringify(value) ?? 'missing'}, wanted ${pattern}`);
}

/** @param {Record<string, unknown>} request @param {string} name @param {RegExp} pattern */
const optional = (request, name, pattern) =>
  request[name] == null ? undefined : matching(request, name, pattern);

/** @param {Record<string, unknown>} request @param {string} name */
function integer(request, name) {
  const value = request[name];
  if (value == null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Refusal('permanent', `${name} is ${JSON.stringify(value)}, wanted a whole number`);
}

/** @template {object} T @param {T} object @returns {{ [K in keyof T]?: NonNullable<T[K]> }} */
function clean(object) {
  // What is left has no undefined in it; Object.fromEntries cannot say so.
  return /** @type {{ [K in keyof T]?: NonNullable<T[K]> }} */ (
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
  );
}
