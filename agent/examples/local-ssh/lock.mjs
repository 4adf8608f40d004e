/**
 * One change at a time below a root folder, also between processes. Locks are files with rising numbers and the
 * owner's process in them; the highest one counts. It is free when it says so or when its owner is gone, so a
 * SIGKILL blocks nobody. To take it means to create the next number, which the file system gives to one only.
 * The highest file is never removed: a number is never used twice, so a slow contender cannot win an old one.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startOf } from './processes.mjs';
import { codeOf, Refusal } from './refusal.mjs';

const FREE = 'free';
const POLL_MS = 10;
const WAIT_MS = 30_000;

/**
 * Runs `change` while it holds the lock of `root`.
 * @template T
 * @param {string} root
 * @param {() => T | Promise<T>} change
 * @returns {Promise<T>}
 */
export async function withLock(root, change) {
  const dir = join(root, '.lock');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const number = await acquire(dir);
  try {
    return await change();
  } finally {
    write(dir, FREE, (temporary) => renameSync(temporary, join(dir, String(number))));
  }
}

/** @param {string} dir */
async function acquire(dir) {
  const owner = `${process.pid} ${startOf(process.pid)}`;
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const highest = highestOf(dir);
    if (isFree(dir, highest)) {
      const mine = highest + 1;
      // Whoever comes second gets EEXIST; whoever read an old state finds a higher number beside its own.
      if (create(dir, mine, owner) && highestOf(dir) === mine) {
        for (const name of readdirSync(dir))
          if (isLeftover(name, mine)) rmSync(join(dir, name), { force: true });
        return mine;
      }
    } else if (performance.now() > deadline) {
      throw new Refusal(
        'transient',
        `process ${holderOf(dir, highest)} has been busy in ${dir} for ${WAIT_MS / 1000} s`,
      );
    } else await delay(POLL_MS);
  }
}

/** @param {string} dir @param {number} number @param {string} owner */
function create(dir, number, owner) {
  return write(dir, owner, (temporary) => {
    try {
      linkSync(temporary, join(dir, String(number)));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

/**
 * A file appears with all its content or not at all.
 * @template T
 * @param {string} dir
 * @param {string} content
 * @param {(temporary: string) => T} publish
 */
function write(dir, content, publish) {
  const temporary = join(dir, `new-${process.pid}`);
  writeFileSync(temporary, content, { mode: 0o600 });
  try {
    return publish(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A superseded lock, or what a contender left that was killed. @param {string} name @param {number} mine */
function isLeftover(name, mine) {
  const contender = /^new-(\d+)$/.exec(name)?.[1];
  return contender === undefined ? Number(name) < mine : startOf(Number(contender)) === undefined;
}

/** @param {string} dir */
function highestOf(dir) {
  return Math.max(
    0,
    ...readdirSync(dir)
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );
}

/** @param {string} dir @param {number} number */
function isFree(dir, number) {
  if (number === 0) return true;
  const holder = holderOf(dir, number);
  if (holder === FREE) return true;
  const [pid, startedAt] = holder.split(' ');
  return startOf(Number(pid)) !== startedAt;
}

/** The content of a lock; a file that vanished was superseded by a higher one, so it is not free. */
function holderOf(/** @type {string} */ dir, /** @type {number} */ number) {
  try {
    return readFileSync(join(dir, String(number)), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return `${process.pid} ${startOf(process.pid)}`;
    throw error;
  }
}
