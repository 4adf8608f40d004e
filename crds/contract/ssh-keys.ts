/** Which keys a machine was built with, or was given since: told as one hash, compared by the facade. */
import { createHash } from 'node:crypto';

/** One line a key, as they are written. Hexadecimal. */
export const sshKeysSHA256 = (keys: readonly string[]): string =>
  createHash('sha256').update(keys.join('\n')).digest('hex');
