/**
 * Who the tenant is on this host: a user id of the instance's own when we are root, otherwise the user that runs
 * us. Its environment is made from nothing, so no variable of ours can leak into it.
 */
import { createHash } from 'node:crypto';
import { chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FOLDER_VARIABLE, ofUser } from './processes.mjs';
import { Refusal } from './refusal.mjs';

export const USER = 'tenant';
const UID_FIRST = 20_000;
const UID_LAST = 59_999;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const isRoot = () => process.getuid?.() === 0;
export const shell = () => (existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh');

/**
 * A user id that no instance, account or process has. It starts from a hash, so that two roots on one host, which
 * do not know each other's stopped instances, hardly ever choose the same.
 * @param {string} seed
 * @param {Iterable<number | null>} taken
 */
export function chooseUid(seed, taken) {
  if (!isRoot()) return null;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => Number(line.split(':')[2]));
  const unavailable = new Set([...taken, ...accounts]);
  const range = UID_LAST - UID_FIRST + 1;
  const first = createHash('sha256').update(seed).digest().readUInt32BE(0) % range;
  for (let offset = 0; offset < range; offset++) {
    const uid = UID_FIRST + ((first + offset) % range);
    if (!unavailable.has(uid) && ofUser(uid).length === 0) return uid;
  }
  throw new Refusal('capacity', `every user id from ${UID_FIRST} to ${UID_LAST} is taken on this host`);
}

/**
 * A user id of its own can reach a folder only when every folder above lets others pass.
 * @param {string} root
 */
export function assertReachable(root) {
  if (!isRoot()) return;
  if (statSync(root).uid !== 0)
    throw new Refusal(
      'configuration',
      `${root} belongs to another user than root, who could change what root runs`,
    );
  for (let folder = root; ; folder = dirname(folder)) {
    const mode = statSync(folder).mode & 0o777;
    if ((mode & 0o001) === 0)
      throw new Refusal(
        'configuration',
        `${folder} has mode 0${mode.toString(8)}: the instances' unprivileged users could not reach ${root}. ` +
          'Set DC_INSTANCES_DIR to a folder that others may enter, e.g. /var/lib/dc-instances',
      );
    if (folder === dirname(folder)) return;
  }
}

/**
 * An instance without a user of its own would give its tenant root when root starts it.
 * @param {{ externalId: string, uid: number | null }} instance
 */
export function assertUser({ externalId, uid }) {
  if (isRoot() !== (uid !== null))
    throw new Refusal(
      'configuration',
      `${externalId} was made by ${isRoot() ? 'an unprivileged user' : 'root'}: run the agent as that user again`,
    );
}

/**
 * Gives the tenant its home, with a prompt that names the instance.
 * @param {string} home
 * @param {{ externalId: string, uid: number | null }} instance
 */
export function furnish(home, { externalId, uid }) {
  const profile = join(home, '.profile');
  // The part of the name that people compare; \w and \$ are bash's own, a plain sh shows them as they are.
  writeFileSync(profile, `[ -n "$BASH" ] && PS1='${externalId.slice(0, 11)}:\\w\\$ '\n`, { mode: 0o644 });
  if (uid === null) return;
  for (const path of [profile, home]) chownSync(path, uid, uid);
}

/**
 * @param {{ externalId: string, folder: string, home: string }} instance
 * @param {Record<string, string>} wanted what the client asked for: only language and terminal are let in
 */
export function environmentOf({ externalId, folder, home }, wanted) {
  const allowed = Object.entries(wanted).filter(([name]) => /^(LANG|LC_[A-Z]+|TERM|COLORTERM)$/.test(name));
  return {
    LANG: 'C.UTF-8',
    ...Object.fromEntries(allowed),
    PATH,
    HOME: home,
    USER,
    LOGNAME: USER,
    SHELL: shell(),
    DC_INSTANCE: externalId,
    [FOLDER_VARIABLE]: folder,
  };
}
