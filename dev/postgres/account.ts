/**
 * Which account PostgreSQL runs under, since it refuses to run as root: an unprivileged one that the system
 * already has. No account is ever made.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';

export type Account = Readonly<{ name: string; uid: number; gid: number }>;

/** In this order; initdb wants an account with a name, so a number alone will not do. */
const CANDIDATES = ['postgres', 'nobody'];

/** Undefined when we are not root: then it runs as we do. Throws when root finds no account to use. */
export function unprivilegedAccount(uid: number | undefined = process.getuid?.()): Account | undefined {
  if (uid !== 0) return undefined;
  for (const name of CANDIDATES) {
    const account = accountIn(readFileSync('/etc/passwd', 'utf8'), name);
    if (account) return account;
  }
  throw new Failure(
    'DatabaseUnreachable',
    `PostgreSQL does not run as root, and there is no account ${CANDIDATES.join(' or ')}`,
    {
      next: 'Run as another user, or set DATABASE_URL to a PostgreSQL that runs already.',
    },
  );
}

/** Parses one line of passwd(5). */
export function accountIn(passwd: string, name: string): Account | undefined {
  const [, , uid, gid] =
    passwd
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':') ?? [];
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
}

/**
 * Can `account` enter the folder, or run the program, `path`? Asked by trying, which knows about every parent,
 * ACL and mount.
 */
export function canReach(account: Account | undefined, path: string): boolean {
  const options = account ? { uid: account.uid, gid: account.gid } : {};
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...options, cwd: '/' }).status === 0;
}
