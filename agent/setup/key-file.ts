/** The agent's key: made once, never leaves the host, and of no use to anybody when others could read it. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generateKeyPair, HEX_KEY, type KeyPair, publicKeyOf } from '../../lib/signature/keys.ts';
import { EXIT, Failure, messageOf } from '../failure.ts';
import { makePrivateFolder, octal, openBits, readIfThere } from '../files.ts';

/** Undefined when there is none. Throws Failure for one that others can read, or that is no key. */
export function readKey(path: string): KeyPair | undefined {
  let text: string | undefined;
  try {
    text = readIfThere(path)?.trim();
  } catch (error) {
    throw new Failure(`the key ${path} cannot be read: ${messageOf(error)}`, {
      next: 'Run this as the user that set the agent up.',
      exitCode: EXIT.Misused,
    });
  }
  if (text === undefined) return undefined;
  if (openBits(path) !== 0)
    throw new Failure(`the key ${path} has mode ${octal(path)}: others can read it`, {
      next: `If nobody did: chmod 600 ${path}. Otherwise have this agent revoked and join again with a new --config.`,
      exitCode: EXIT.Misused,
    });
  if (!HEX_KEY.test(text))
    throw new Failure(`${path} holds no Ed25519 seed of 64 hex digits`, {
      next: 'Restore it from a backup, or join again: dc-agent setup --force --token TOKEN --api-url URL.',
      exitCode: EXIT.Misused,
    });
  return { seed: text, publicKey: publicKeyOf(text) };
}

/** Throws Failure with what to do when there is no key. */
export function requireKey(path: string): KeyPair {
  const key = readKey(path);
  if (key) return key;
  throw new Failure(`the key ${path} does not exist`, {
    next: 'Restore it from a backup, or join again: dc-agent setup --force --token TOKEN --api-url URL.',
    exitCode: EXIT.Misused,
  });
}

/** A key that is there is used again: the same token with the same key gets the same answer. */
export function ensureKey(path: string): KeyPair & Readonly<{ isNew: boolean }> {
  const there = readKey(path);
  if (there) return { ...there, isNew: false };
  const made = generateKeyPair();
  try {
    makePrivateFolder(dirname(path));
    writeFileSync(path, `${made.seed}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    throw new Failure(`the key cannot be written to ${path}: ${messageOf(error)}`, {
      next: 'Run this as root, or name a file in a folder of yours with --config.',
      exitCode: EXIT.Misused,
    });
  }
  return { ...made, isNew: true };
}
