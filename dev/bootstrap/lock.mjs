/**
 * A lock file between processes that heals: it names its owner, and an owner that is gone holds nothing.
 * The file appears with its content at once (hard link), so nobody ever reads half of it. Only the owner, or
 * whoever holds the short-lived `.steal` file, removes it; so two that find a dead owner cannot both win.
 * Plain JavaScript, because the bootstrap uses it on Node 20 before anything is installed.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf, isAlive } from './identity.mjs';

const POLL_MS = 200;
/** Removing a dead owner's file takes microseconds; an older `.steal` is itself a leftover. */
const STEAL_MAX_MS = 5_000;

/**
 * Takes the lock at once, or answers who has it: `{ release }` or `{ owner }`.
 * `purpose` is what the owner does, for the message that another one prints.
 */
export function tryLock(file, purpose) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = { pid: process.pid, identity: identityOf(process.pid), purpose };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (place(file, mine)) return { release: () => release(file, mine) };
    const owner = read(file);
    if (owner && isAlive(owner)) return { owner };
    removeDead(file);
  }
  return { owner: read(file) ?? { pid: 0, identity: '', purpose: 'unknown' } };
}

/** Takes the lock, waiting for its owner to finish or die. `onWait(owner)` is called once, when it must wait. */
export async function waitForLock(file, purpose, { signal, onWait } = {}) {
  for (let told = false; ; ) {
    const { release, owner } = tryLock(file, purpose);
    if (release) return release;
    if (!told) onWait?.(owner);
    told = true;
    await delay(POLL_MS, undefined, { signal });
  }
}

function place(file, content) {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, JSON.stringify(content));
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function removeDead(file) {
  const steal = `${file}.steal`;
  try {
    closeSync(openSync(steal, 'wx'));
  } catch {
    const age = Date.now() - (statSync(steal, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > STEAL_MAX_MS) rmSync(steal, { force: true });
    return;
  }
  try {
    const owner = read(file); // again: it may have changed hands since
    if (!owner || !isAlive(owner)) rmSync(file, { force: true });
  } finally {
    rmSync(steal, { force: true });
  }
}

function release(file, mine) {
  const owner = read(file);
  if (owner?.pid === mine.pid && owner.identity === mine.identity) rmSync(file, { force: true });
}
