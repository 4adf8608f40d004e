/** Object names made from what people type. */
import { createHash } from 'node:crypto';

/** A DNS label of at most `max` characters; empty when nothing of `text` can be part of one. */
export function nameFrom(text: string, max = 63): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, max)
    .replace(/-+$/, '');
}

/** Crockford's alphabet without the letters that look like digits, in lower case. */
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';

/** `length` characters that depend on `seed` only: the same request meets its own object again. */
export function base32Of(seed: string, length: number): string {
  const bytes = createHash('sha256').update(seed).digest();
  return Array.from(bytes.subarray(0, length), (byte) => BASE32[byte % 32]).join('');
}
