/** A password of an instance: only its salted hash is kept, made slow by scrypt. */
import { randomBytes, scrypt, scryptSync, timingSafeEqual } from 'node:crypto';

/** @typedef {{ salt: string, hash: string }} Password both base64 */

const BYTES = 32;

/** @param {string} text @returns {Password} */
export function hashed(text) {
  const salt = randomBytes(16);
  return { salt: salt.toString('base64'), hash: scryptSync(text, salt, BYTES).toString('base64') };
}

/** @param {string} text @param {Password} password @returns {Promise<boolean>} */
export const matches = (text, { salt, hash }) =>
  new Promise((resolve, reject) =>
    scrypt(text, Buffer.from(salt, 'base64'), BYTES, (error, found) =>
      error ? reject(error) : resolve(timingSafeEqual(found, Buffer.from(hash, 'base64'))),
    ),
  );
