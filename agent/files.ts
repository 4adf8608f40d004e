/**
 * Files that hold secrets or promises: mode 0600, and written so that after a crash either the old or the new
 * content is there, whole. Synchronous on purpose: nothing can come between deciding and having it on disk.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from './failure.ts';

let written = 0;

/** Temporary file, fsync, rename, fsync of the folder. Throws what the system says. */
export function writeDurably(path: string, content: string): void {
  const folder = dirname(path);
  const temporary = join(folder, `.new-${process.pid}-${written++}`);
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeAll(file, Buffer.from(content));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** Removing is a promise too: after a crash the file must not be back. */
export function removeDurably(path: string): void {
  rmSync(path, { force: true });
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } catch (error) {
    // Some file systems have no fsync for folders: then the rename is as durable as they make it.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EPERM') throw error;
  } finally {
    closeSync(folder);
  }
}

/** The content, or undefined when there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a folder that only its owner can enter; one that is there keeps its mode. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** The mode bits that let others in, e.g. 0o044; 0 when the file is private. */
export const openBits = (path: string): number => statSync(path).mode & 0o077;

export const makePrivate = (path: string): void => chmodSync(path, 0o600);

export const octal = (path: string): string => (statSync(path).mode & 0o777).toString(8).padStart(4, '0');
