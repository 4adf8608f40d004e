/**
 * Reads a server's SSH host key and compares it with the fingerprint that the agent reported, before anything
 * secret is said. A server has a key of each kind and the agent saw one of them, so each kind is asked for.
 */
import { createHash } from 'node:crypto';
import { Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { Failure } from '../failure.ts';

export type Target = Readonly<{ host: string; port: number }>;

/** `type base64`, as in known_hosts. */
export type HostKey = Readonly<{ type: string; base64: string; fingerprint: string }>;

/** Signatures of a key whose own kind is called `ssh-rsa`. */
const RSA: readonly ServerHostKeyAlgorithm[] = ['rsa-sha2-512', 'rsa-sha2-256'];
const KINDS: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  RSA,
];
const READY_TIMEOUT_MS = 10_000;

/** The key that has `fingerprint`. Throws Refused when the server has another, Network when none answers. */
export async function verifyHostKey(target: Target, fingerprint: string): Promise<HostKey> {
  const seen: string[] = [];
  for (const algorithms of KINDS) {
    const key = await fetchHostKey(target, algorithms);
    if (key?.fingerprint === fingerprint) return key;
    if (key) seen.push(`${key.fingerprint} (${key.type})`);
  }
  throw new Failure(
    'Refused',
    `the host key at ${target.host}:${target.port} is ${seen.join(', ') || 'of no kind that dcm knows'}, not ${fingerprint} as the provider reported`,
    {
      next: 'Do not log in: somebody may be in between. Tell the provider, or look again with `dcm contract ID`.',
    },
  );
}

/** Undefined when the server has no key of these kinds. */
function fetchHostKey(
  { host, port }: Target,
  algorithms: readonly ServerHostKeyAlgorithm[],
): Promise<HostKey | undefined> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const end = (key: HostKey | undefined): void => {
      client.destroy();
      resolve(key);
    };
    client.on('error', (cause) => {
      // No common algorithm ends the handshake; by then a key that was shown is resolved already.
      if ('level' in cause && cause.level === 'handshake') end(undefined);
      else reject(unreachable({ host, port }, cause));
    });
    client.connect({
      host,
      port,
      username: 'dcm',
      readyTimeout: READY_TIMEOUT_MS,
      algorithms: { serverHostKey: [...algorithms] },
      hostVerifier: (raw: Buffer) => {
        end(parseHostKey(raw));
        return false; // enough was seen: no login is tried here
      },
    });
  });
}

/** What to ask a server for, to be shown a key of this kind again. */
export const algorithmsOf = ({ type }: HostKey): ServerHostKeyAlgorithm[] => [
  ...(KINDS.find((kind) => kind.some((name) => name === type)) ?? RSA),
];

/** RFC 4253, 6.6: the blob begins with the length and name of its kind. Fingerprint as OpenSSH prints it. */
export function parseHostKey(raw: Buffer): HostKey {
  const type = raw.subarray(4, 4 + raw.readUInt32BE(0)).toString('latin1');
  const digest = createHash('sha256').update(raw).digest('base64').replace(/=+$/, '');
  return { type, base64: raw.toString('base64'), fingerprint: `SHA256:${digest}` };
}

const unreachable = ({ host, port }: Target, cause: Error): Failure =>
  new Failure('Network', `no SSH server answers at ${host}:${port}: ${cause.message}`, {
    next: 'The machine may be starting: look with `dcm contract ID` and try again.',
    cause,
  });
