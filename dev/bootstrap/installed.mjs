/**
 * Is what the lock file wants what `node_modules` has? `npm ci` deletes the folder first, under the feet of
 * whatever runs from it, so it is only done when something differs. Plain JavaScript for Node 20.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Written by us after a good `npm ci`: the hash of the lock file that was installed. */
const STAMP = 'node_modules/.dcmarket-installed';
/** Written by npm as the last act of any install: what it put there. */
const NPM_RECORD = 'node_modules/.package-lock.json';
export const NODE_24 = 'node_modules/node/bin/node';

export function isInstalled(root) {
  if (!existsSync(join(root, NODE_24))) return false;
  if (read(join(root, STAMP)) === lockHash(root)) return true;
  const wanted = parse(join(root, 'package-lock.json'));
  const present = parse(join(root, NPM_RECORD));
  if (!wanted || !present || !isCovered(wanted, present)) return false;
  markInstalled(root); // somebody ran npm by hand: as good as ours
  return true;
}

export function markInstalled(root) {
  writeFileSync(join(root, STAMP), lockHash(root));
}

/** Every package that is locked is there in that version; what is optional may be for another system. */
export function isCovered(wanted, present) {
  return Object.entries(wanted.packages).every(([path, locked]) => {
    if (path === '' || locked.link) return true;
    const found = present.packages[path];
    if (!found) return Boolean(locked.optional || locked.devOptional);
    return found.version === locked.version && found.integrity === locked.integrity;
  });
}

function lockHash(root) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return hash.update(`${process.platform}-${process.arch}`).digest('hex');
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(file) {
  try {
    return JSON.parse(read(file));
  } catch {
    return undefined;
  }
}
