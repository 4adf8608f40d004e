/**
 * Seals a few bytes for the owner of an Ed25519 key, who opens them with its seed: no second key is to be kept.
 * The key's twin on Curve25519 is used, as age and libsodium do. Anybody may read what is sealed.
 */
import { createHash } from 'node:crypto';
import { HEX_KEY } from '../signature/keys.ts';
import { type Context, openWith, sealTo, x25519Private } from './hpke.ts';

/** What it is for and what it belongs to: opened under other words it is nothing. */
export type Purpose = Readonly<{ info: string; about: string }>;

/** Base64. Throws when `publicKey` (64 hex characters) is not one that anything can be sealed for. */
export const sealFor = (publicKey: string, plaintext: string, purpose: Purpose): string =>
  sealTo(x25519Of(publicKey), Buffer.from(plaintext), contextOf(purpose)).toString('base64');

/** Throws when it was sealed for another key or purpose, or was changed on the way. */
export const openSealed = (seed: string, sealed: string, purpose: Purpose): string =>
  openWith(x25519Seed(seed), Buffer.from(sealed, 'base64'), contextOf(purpose)).toString('utf8');

const contextOf = ({ info, about }: Purpose): Context => ({
  info: Buffer.from(info),
  aad: Buffer.from(about),
});

const P = 2n ** 255n - 19n;

/** u = (1 + y) / (1 − y). Source: RFC 7748, section 4.1. */
function x25519Of(publicKey: string): Buffer {
  if (!HEX_KEY.test(publicKey)) throw new Error('an Ed25519 public key is 64 lower-case hex characters');
  const bytes = Buffer.from(publicKey, 'hex').reverse();
  bytes[0] = (bytes[0] ?? 0) & 0x7f; // the sign of x
  const y = BigInt(`0x${bytes.toString('hex')}`);
  const divisor = (((1n - y) % P) + P) % P;
  if (y >= P || divisor === 0n) throw new Error('this is no Ed25519 public key');
  const u = ((1n + y) * power(divisor, P - 2n)) % P;
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

/** The scalar that the seed signs with. Source: RFC 8032, section 5.1.5; X25519 clamps it itself. */
const x25519Seed = (seed: string) =>
  x25519Private(createHash('sha512').update(Buffer.from(seed, 'hex')).digest().subarray(0, 32));
