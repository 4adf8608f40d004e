/**
 * Key files: the seed of an Ed25519 key as 64 hex characters, readable by its owner only. Whoever has the file
 * is the tenant or provider, so a file that others can read is refused and an existing one never overwritten.
 */
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generateKeyPair, HEX_KEY, type KeyPair, publicKeyOf } from '../lib/signature/keys.ts';
import { Failure } from './failure.ts';

/** Throws a Usage failure that names the file and what is wrong with it. */
export async function readKeyFile(file: string): Promise<KeyPair> {
  const mode = await modeOf(file);
  if ((mode & 0o077) !== 0 && process.platform !== 'win32')
    throw new Failure('Usage', `key ${file} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
      next: `chmod 600 ${file}`,
    });
  const seed = (await readFile(file, 'utf8')).trim();
  if (!HEX_KEY.test(seed))
    throw new Failure('Usage', `key ${file} is not 64 lower-case hex characters`, {
      next: 'Make a key with `dcm keygen`, or name another file with --key.',
    });
  return { seed, publicKey: publicKeyOf(seed) };
}

async function modeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isFile()) return found.mode;
  } catch (cause) {
    if (!isMissing(cause)) throw new Failure('Usage', `key ${file} cannot be read`, { cause });
    throw new Failure('Usage', `there is no key ${file}`, {
      next: 'Make one with `dcm keygen`, or name another file with --key or DCM_KEY.',
      cause,
    });
  }
  throw new Failure('Usage', `key ${file} is not a file`, { next: 'Name a file with --key or DCM_KEY.' });
}

/** Makes a new key in `file` (0600). Throws a Usage failure when there is something already. */
export async function writeNewKeyFile(file: string): Promise<KeyPair> {
  const pair = generateKeyPair();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(`${pair.seed}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (!isCode(cause, 'EEXIST')) throw new Failure('Usage', `key ${file} cannot be written`, { cause });
    throw new Failure('Usage', `${file} exists already and was not changed`, {
      next: 'Name another file with --out; a key that is lost cannot be made again.',
      cause,
    });
  }
  return pair;
}

const isMissing = (error: unknown): boolean => isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR');

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
