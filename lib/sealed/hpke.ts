/**
 * HPKE, base mode, one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM (suite 0x0020/0x0001/0x0001).
 * Whoever has an HPKE library can open what is sealed here. Source: RFC 9180, sections 4 to 6; vectors in the test.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Bytes of an encapsulated key. */
const ENC_BYTES = 32;

const KEM_ID = Buffer.from('KEM\x00\x20', 'latin1');
const SUITE_ID = Buffer.from('HPKE\x00\x20\x00\x01\x00\x01', 'latin1');
/** DER headers that turn raw X25519 key bytes into PKCS#8 and SPKI. Source: RFC 8410, section 7. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** `info` says what it is for, `aad` what it belongs to: both must be the same when it is opened. */
export type Context = Readonly<{ info: Buffer; aad: Buffer }>;

/** The encapsulated key (32 bytes), then ciphertext and tag. Throws for a key of low order. */
export function sealTo(
  recipient: Buffer,
  plaintext: Buffer,
  { info, aad, ephemeral }: Context & Readonly<{ ephemeral?: KeyObject }>,
): Buffer {
  const own = ephemeral ?? generateKeyPairSync('x25519').privateKey;
  const enc = rawPublic(own);
  const shared = diffieHellman({ privateKey: own, publicKey: x25519Public(recipient) });
  const { key, nonce } = schedule(shared, { enc, recipient, info });
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when it was sealed for another key or purpose, or was changed. */
export function openWith(privateKey: KeyObject, sealed: Buffer, { info, aad }: Context): Buffer {
  if (sealed.length < ENC_BYTES + TAG_BYTES) throw new Error('too short to be a sealed message');
  const enc = sealed.subarray(0, ENC_BYTES);
  const shared = diffieHellman({ privateKey, publicKey: x25519Public(enc) });
  const { key, nonce } = schedule(shared, { enc, recipient: rawPublic(privateKey), info });
  const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(ENC_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** From 32 raw bytes. */
export const x25519Private = (raw: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), format: 'der', type: 'pkcs8' });
const x25519Public = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
const rawPublic = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);

type Exchange = Readonly<{ enc: Buffer; recipient: Buffer; info: Buffer }>;

function schedule(dh: Buffer, { enc, recipient, info }: Exchange): Readonly<{ key: Buffer; nonce: Buffer }> {
  const none = Buffer.alloc(0);
  const eae = labeledExtract(KEM_ID, { salt: none, label: 'eae_prk', input: dh });
  const context = Buffer.concat([enc, recipient]);
  const shared = labeledExpand(KEM_ID, { secret: eae, label: 'shared_secret', context, bytes: 32 });
  const hashed = [
    labeledExtract(SUITE_ID, { salt: none, label: 'psk_id_hash', input: none }),
    labeledExtract(SUITE_ID, { salt: none, label: 'info_hash', input: info }),
  ];
  const keyContext = Buffer.concat([Buffer.from([0]), ...hashed]); // 0: base mode
  const secret = labeledExtract(SUITE_ID, { salt: shared, label: 'secret', input: none });
  const expand = (label: string, bytes: number): Buffer =>
    labeledExpand(SUITE_ID, { secret, label, context: keyContext, bytes });
  return { key: expand('key', KEY_BYTES), nonce: expand('base_nonce', NONCE_BYTES) };
}

const VERSION = Buffer.from('HPKE-v1');
const hmac = (key: Buffer, ...parts: Buffer[]): Buffer =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();

type Extract = Readonly<{ salt: Buffer; label: string; input: Buffer }>;
const labeledExtract = (suite: Buffer, { salt, label, input }: Extract): Buffer =>
  hmac(salt, VERSION, suite, Buffer.from(label), input);

type Expand = Readonly<{ secret: Buffer; label: string; context: Buffer; bytes: number }>;
/** At most one block of SHA-256: nothing here is longer. */
const labeledExpand = (suite: Buffer, { secret, label, context, bytes }: Expand): Buffer =>
  hmac(
    secret,
    Buffer.from([0, bytes]),
    VERSION,
    suite,
    Buffer.from(label),
    context,
    Buffer.from([1]),
  ).subarray(0, bytes);
