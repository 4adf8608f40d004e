/** The instance's own ed25519 host key: made once, at the first start, and never silently replaced. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { Refusal } from './refusal.mjs';

/** Length of an ed25519 public key on the wire. */
const PUBLIC_BYTES = 51;

/**
 * @param {{ hostKey: string, runtime: string }} paths
 * @returns {{ privateKey: string, fingerprint: string }}
 */
export function ensureHostKey({ hostKey, runtime }) {
  if (!existsSync(hostKey)) {
    if (existsSync(runtime))
      throw new Refusal(
        'permanent',
        `${hostKey} is gone, and the tenant knows that key: restore it or destroy the instance`,
      );
    writeFileSync(`${hostKey}.new`, generate(), { mode: 0o600 });
    renameSync(`${hostKey}.new`, hostKey);
  }
  const privateKey = readFileSync(hostKey, 'utf8');
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw new Refusal('permanent', `${hostKey} is damaged: ${parsed.message}`);
  const hash = createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replaceAll('=', '');
  return { privateKey, fingerprint: `SHA256:${hash}` };
}

/** ssh2 drops leading zero bytes, so one key in a hundred or so is unusable: make another one then. */
function generate() {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    const key = ssh2.utils.parseKey(pair.private);
    if (key instanceof Error || key.getPublicSSH().length !== PUBLIC_BYTES) continue;
    const signature = key.sign('probe');
    if (signature instanceof Error || key.verify('probe', signature) !== true) continue;
    return pair.private;
  }
}
