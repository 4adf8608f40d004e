/** Against the vectors of RFC 9180, and from key to key. */
import { describe, expect, test } from 'vitest';
import { generateKeyPair } from '../signature/keys.ts';
import { openWith, sealTo, x25519Private } from './hpke.ts';
import { openSealed, sealFor } from './seal.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('RFC 9180, A.1.1', () => {
  const context = { info: hex('4f6465206f6e2061204772656369616e2055726e'), aad: hex('436f756e742d30') };
  const plaintext = hex('4265617574792069732074727574682c20747275746820626561757479');
  const recipient = hex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d');
  const sealed = hex(
    '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431' +
      'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
  );
  test('seals', () => {
    const ephemeral = x25519Private(hex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736'));
    expect(sealTo(recipient, plaintext, { ...context, ephemeral })).toEqual(sealed);
  });
  test('opens', () => {
    const key = x25519Private(hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'));
    expect(openWith(key, sealed, context)).toEqual(plaintext);
  });
});

const purpose = { info: 'test', about: 'contract 1' };

test('the owner of the key opens it, and nobody else, nor for another purpose, nor after a change', () => {
  const owner = generateKeyPair();
  const sealed = sealFor(owner.publicKey, 'correct horse', purpose);
  expect(openSealed(owner.seed, sealed, purpose)).toBe('correct horse');
  expect(sealFor(owner.publicKey, 'correct horse', purpose)).not.toBe(sealed);
  expect(() => openSealed(generateKeyPair().seed, sealed, purpose)).toThrow();
  expect(() => openSealed(owner.seed, sealed, { ...purpose, about: 'contract 2' })).toThrow();
  expect(() => openSealed(owner.seed, sealed, { ...purpose, info: 'other' })).toThrow();
  const changed = Buffer.from(sealed, 'base64');
  changed[40] = (changed[40] ?? 0) ^ 1;
  expect(() => openSealed(owner.seed, changed.toString('base64'), purpose)).toThrow();
  expect(() => openSealed(owner.seed, 'c2hvcnQ=', purpose)).toThrow('too short');
});

test('what is no key gets nothing sealed', () => {
  for (const publicKey of [
    `01${'0'.repeat(62)}`,
    'f'.repeat(64),
    'xyz',
    '0'.repeat(64),
    `ec${'f'.repeat(60)}7f`,
  ])
    expect(() => sealFor(publicKey, 'secret', purpose), publicKey).toThrow();
});
