/**
 * The command line of an instance's process: everything that `list` has to know, without a blank in any value, so
 * that `ps` can be read back too.
 */

/** @typedef {import('./instance.mjs').Tags & { root: string, externalId: string, port: number, uid: number | null, createdAt: string }} Described */

/** @param {Described} it */
export function daemonArguments(it) {
  return Object.entries({
    root: encode(it.root),
    'external-id': it.externalId,
    installation: encode(it.installation),
    contract: it.contractId,
    epoch: String(it.epoch),
    agent: encode(it.agentUid),
    port: String(it.port),
    user: String(it.uid ?? 'none'),
    created: it.createdAt,
  }).flatMap(([name, value]) => [`--${name}`, value]);
}

/** @param {string[]} args @returns {Described} */
export function parseDaemonArguments(args) {
  const value = (/** @type {string} */ name) => args[args.indexOf(`--${name}`) + 1] ?? '';
  return {
    root: decodeURIComponent(value('root')),
    externalId: value('external-id'),
    installation: decodeURIComponent(value('installation')),
    contractId: value('contract'),
    epoch: Number(value('epoch')),
    agentUid: decodeURIComponent(value('agent')),
    port: Number(value('port')),
    uid: value('user') === 'none' ? null : Number(value('user')),
    createdAt: value('created'),
  };
}

/** Like encodeURIComponent, but it leaves a path readable. @param {string} text */
const encode = (text) => encodeURIComponent(text).replaceAll('%2F', '/');
