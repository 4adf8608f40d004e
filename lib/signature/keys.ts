/**
 * Ed25519 keys (RFC 8032): a 32-byte seed, kept as 64 lower-case hex characters, and the public key that is
 * a caller's identity everywhere (`keyid`, `Provider.spec.publicKey`, `Contract.spec.tenant.publicKey`).
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';

/** DER headers that turn raw key bytes into PKCS#8 and SPKI. Source: RFC 8410, section 7. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export const HEX_KEY = /^[0-9a-f]{64}$/;

export type KeyPair = Readonly<{ seed: string; publicKey: string }>;

/** A new random key pair. */
export function generateKeyPair(): KeyPair {
  const seed = randomBytes(32).toString('hex');
  return { seed, publicKey: publicKeyOf(seed) };
}

/** The public key of a seed, both 64 hex characters. Throws on anything else. */
export function publicKeyOf(seed: string): string {
  return rawPublicKey(createPublicKey(privateKeyObject(seed)));
}

export function privateKeyObject(seed: string): KeyObject {
  if (!HEX_KEY.test(seed)) throw new Error('an Ed25519 seed is 64 lower-case hex characters');
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(seed, 'hex')]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

export function publicKeyObject(publicKey: string): KeyObject {
  if (!HEX_KEY.test(publicKey)) throw new Error('an Ed25519 public key is 64 lower-case hex characters');
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, 'hex')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

const rawPublicKey = (key: KeyObject): string =>
  key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length).toString('hex');
