/** A person's public SSH key, from a file or from where OpenSSH keeps it. A private one is never read on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sshPublicKey } from '../../crds/fields.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { isCode } from '../key-file.ts';

const DEFAULT_KEYS = ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub'] as const;

/** The one line of a public key file. Throws a Usage failure that says what the file is instead. */
export async function readSshPublicKey(context: Context, file: string | undefined): Promise<string> {
  if (file !== undefined) return parseSshPublicKey(await readText(file), file);
  for (const name of DEFAULT_KEYS) {
    const path = join(context.homeFolder, '.ssh', name);
    const text = await readText(path).catch((error: unknown) => {
      if (error instanceof Failure && isCode(error.cause, 'ENOENT')) return undefined;
      throw error;
    });
    if (text !== undefined) return parseSshPublicKey(text, path);
  }
  throw new Failure('Usage', `there is no SSH key in ${join(context.homeFolder, '.ssh')}`, {
    next: 'Name a public key with --ssh-key FILE, or make one with `ssh-keygen -t ed25519`.',
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const what = isCode(cause, 'ENOENT') ? `there is no file ${file}` : `${file} cannot be read`;
    throw new Failure('Usage', what, { next: 'Name a public SSH key with --ssh-key FILE.', cause });
  }
}

export function parseSshPublicKey(text: string, file: string): string {
  if (text.includes('PRIVATE KEY'))
    throw new Failure('Usage', `${file} is a private key; it stays with you and is never sent`, {
      next: `Name the public one, usually --ssh-key ${file}.pub`,
    });
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [line, second] = lines;
  if (line !== undefined && second === undefined && sshPublicKey().safeParse(line).success) return line;
  throw new Failure(
    'Usage',
    second === undefined ? `${file} is no SSH public key` : `${file} holds ${lines.length} lines`,
    {
      next: 'Name a file with one public key, a line like `ssh-ed25519 AAAA… you@host`.',
    },
  );
}
