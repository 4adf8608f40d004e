/** Reads an SSH server's banner and host key, once, without logging in. */
import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';
import type { ProbeSsh } from './context.ts';

/** Throws when nothing answers, when it is no SSH server, or the signal's reason. */
export const probeSsh: ProbeSsh = ({ host, port }, { signal }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const client = new ssh2.Client();
    let fingerprint: string | undefined;
    const finish = (error: unknown): void => {
      signal.removeEventListener('abort', onAbort);
      client.end();
      client.destroy();
      if (fingerprint === undefined) reject(error);
      else resolve({ hostKeyFingerprint: fingerprint });
    };
    const onAbort = (): void => finish(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    client.on('error', finish);
    client.on('close', () => finish(new Error('it closed the connection before it showed its host key')));
    client.connect({
      host,
      port,
      username: 'probe',
      hostVerifier: (key: Buffer) => {
        fingerprint = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
        return false; // the key is all that was wanted
      },
    });
  });
