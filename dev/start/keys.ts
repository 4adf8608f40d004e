/** The keys of the demonstration, made once and kept under `.dcmarket/`: provider, tenant, and the SSH key. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { generateKeyPair, type KeyPair, publicKeyOf } from '../../lib/signature/keys.ts';
import { writeFileAtomically } from '../files.ts';
import type { Paths } from '../paths.ts';

export type DemoKeys = Readonly<{
  provider: KeyPair;
  tenant: KeyPair;
  /** File with the private key in OpenSSH form, and the public line that a contract takes. */
  ssh: Readonly<{ file: string; privateKey: string; publicKey: string }>;
}>;

/** Length of an ed25519 public key as SSH sends it. */
const ED25519_WIRE_BYTES = 51;

export function ensureKeys({ state }: Paths): DemoKeys {
  const folder = join(state, 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    provider: seedIn(join(folder, 'provider.key')),
    tenant: seedIn(join(folder, 'tenant.key')),
    ssh: sshKeyIn(join(state, 'demo_key')),
  };
}

function seedIn(file: string): KeyPair {
  if (existsSync(file)) {
    const seed = readFileSync(file, 'utf8').trim();
    return { seed, publicKey: publicKeyOf(seed) };
  }
  const pair = generateKeyPair();
  writeFileAtomically(file, `${pair.seed}\n`, 0o600);
  return pair;
}

function sshKeyIn(file: string): DemoKeys['ssh'] {
  if (!existsSync(file) || !existsSync(`${file}.pub`)) {
    const pair = usableKeyPair();
    writeFileAtomically(`${file}.pub`, `${pair.public.trim()}\n`);
    writeFileAtomically(file, pair.private.endsWith('\n') ? pair.private : `${pair.private}\n`, 0o600);
  }
  return {
    file,
    privateKey: readFileSync(file, 'utf8'),
    publicKey: readFileSync(`${file}.pub`, 'utf8').trim(),
  };
}

/** ssh2 drops leading zero bytes, so about one key in 270 is unusable: another one is made then. */
function usableKeyPair(): ReturnType<typeof ssh2.utils.generateKeyPairSync> {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'dcmarket-demo' });
    const key = ssh2.utils.parseKey(pair.private);
    if (key instanceof Error || key.getPublicSSH().length !== ED25519_WIRE_BYTES) continue;
    const signature = key.sign('probe');
    if (!(signature instanceof Error) && key.verify('probe', signature) === true) return pair;
  }
}
