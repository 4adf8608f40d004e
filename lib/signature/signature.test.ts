import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentDigest, type SignableRequest } from './base.ts';
import { publicKeyCache } from './key-cache.ts';
import { generateKeyPair, publicKeyOf } from './keys.ts';
import { signRequest } from './sign.ts';
import { verifyRequest } from './verify.ts';

const SEED = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('hex');
const PUBLIC_KEY = '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8';
const CREATED = new Date(1_767_225_600_000);
const keys = publicKeyCache();

type Signed = { request: SignableRequest; body: Buffer };

async function signed(method: string, url: string, text = '', options = {}): Promise<Signed> {
  const body = Buffer.from(text);
  const target = new URL(url);
  const headers = await signRequest({ method, url: target, body }, { seed: SEED, now: CREATED, ...options });
  const request = {
    method,
    authority: target.host,
    path: target.pathname,
    query: target.search || '?',
    headers,
  };
  return { request, body };
}

const check = ({ request, body }: Signed, now = CREATED) => verifyRequest(request, { now, body, keys });

/** The same request with its Signature-Input rewritten: what a careless or hostile client could send. */
function withInput({ request, body }: Signed, rewrite: (input: string) => string): Signed {
  const input = rewrite(request.headers['signature-input'] ?? '');
  return { request: { ...request, headers: { ...request.headers, 'signature-input': input } }, body };
}

describe('the published vectors', () => {
  test('the public key of the seed', () => expect(publicKeyOf(SEED)).toBe(PUBLIC_KEY));

  test('a GET with a query', async () => {
    const url = `https://api.example.com/api/v1/providers/${PUBLIC_KEY}/contracts/pending-provision?wait=25`;
    const { request } = await signed('GET', url, '', { nonce: 'q4Zs1x0cRk2m8vTn' });
    expect(request.headers['signature']).toBe(
      'sig1=:UPWnn3rKbml1il/LCllSYfAJNNZXwXbezzXHNz1NAs89M9T4QtLmvPQrQSTdAtOgZDNYX+uPU+rCH9ae8cP7Cw==:',
    );
  });

  test('a POST with a body', async () => {
    const body = '{"offeringId":"vps-small","durationHours":720}';
    const sent = await signed('POST', 'https://api.example.com/api/v1/contracts', body, {
      nonce: 'q4Zs1x0cRk2m8vTo',
    });
    expect(sent.request.headers['content-digest']).toBe(
      'sha-256=:m1cM3dIX1fBS92OX1dWOVWMMW3GxYHm9oRs9mfFCh60=:',
    );
    // The vector lists content-digest last, as the signer here does.
    expect(sent.request.headers['signature']).toBe(
      'sig1=:z7lQlSfTrFVHd6Bygql/wvO441nRjiuox1fdfFtWgXkOwTOBqILB2XrATKgpOUojd2daI5N2yUj5LNhCjSyGCg==:',
    );
    expect(check(sent)).toMatchObject({ outcome: 'Verified', keyid: PUBLIC_KEY, nonce: 'q4Zs1x0cRk2m8vTo' });
  });
});

describe('what is refused', () => {
  const post = () => signed('POST', 'https://api.example.com/api/v1/contracts', '{"a":1}');
  const cases: { name: string; change: (sent: Signed) => Signed; because: string }[] = [
    {
      name: 'another method',
      change: (s) => ({ ...s, request: { ...s.request, method: 'PUT' } }),
      because: 'BadSignature',
    },
    {
      name: 'another path',
      change: (s) => ({ ...s, request: { ...s.request, path: '/x' } }),
      because: 'BadSignature',
    },
    {
      name: 'another query',
      change: (s) => ({ ...s, request: { ...s.request, query: '?a=1' } }),
      because: 'BadSignature',
    },
    {
      name: 'another host',
      change: (s) => ({ ...s, request: { ...s.request, authority: 'test' } }),
      because: 'BadSignature',
    },
    {
      name: 'another body',
      change: (s) => ({ ...s, body: Buffer.from('{"a":2}') }),
      because: 'DigestMismatch',
    },
    {
      name: 'a body that the signature does not cover',
      change: (s) => withInput(s, (input) => input.replace(' "content-digest"', '')),
      because: 'Malformed',
    },
    {
      name: 'no signature',
      change: (s) => ({ ...s, request: { ...s.request, headers: {} } }),
      because: 'Missing',
    },
    { name: 'garbage', change: (s) => withInput(s, () => 'sig1=((('), because: 'Malformed' },
    {
      name: 'another algorithm',
      change: (s) => withInput(s, (i) => i.replace('ed25519', 'rsa')),
      because: 'Unsupported',
    },
    {
      name: 'a short nonce',
      change: (s) => withInput(s, (i) => i.replace(/nonce="[^"]+"/, 'nonce="a"')),
      because: 'Malformed',
    },
    {
      name: 'a component that every object has as a member',
      change: (s) => withInput(s, (i) => i.replace('("@method"', '("constructor" "@method"')),
      because: 'Malformed',
    },
    {
      name: 'a signature past the time that its signer gave it',
      change: (s) => withInput(s, (i) => `${i};expires=${CREATED.getTime() / 1000 - 1}`),
      because: 'ClockSkew',
    },
    {
      name: 'a time that is none',
      change: (s) => withInput(s, (i) => `${i};expires="soon"`),
      because: 'Malformed',
    },
    {
      name: 'an upper-case key',
      change: (s) => withInput(s, (i) => i.replace('03a1', '03A1')),
      because: 'Malformed',
    },
  ];
  for (const { name, change, because } of cases)
    test(name, async () =>
      expect(check(change(await post()))).toMatchObject({ outcome: 'Refused', because }),
    );

  test('61 seconds early or late, with both times said', async () => {
    const sent = await post();
    expect(check(sent, new Date(CREATED.getTime() + 60_000)).outcome).toBe('Verified');
    for (const off of [-61_000, 61_000])
      expect(check(sent, new Date(CREATED.getTime() + off))).toMatchObject({
        because: 'ClockSkew',
        detail: expect.stringContaining('2026-01-01T00:00:00.000Z'),
      });
  });
});

test('any request that is signed verifies, and no longer with one byte of its body changed', async () => {
  const pair = generateKeyPair();
  await fc.assert(
    fc.asyncProperty(
      fc.webUrl({ withQueryParameters: true }),
      fc.uint8Array({ minLength: 1 }),
      async (address, body) => {
        const url = new URL(address);
        const headers = await signRequest({ method: 'PUT', url, body }, { seed: pair.seed, now: CREATED });
        const request = {
          method: 'PUT',
          authority: url.host,
          path: url.pathname,
          query: url.search || '?',
          headers,
        };
        expect(verifyRequest(request, { now: CREATED, body, keys })).toMatchObject({ keyid: pair.publicKey });
        const other = Uint8Array.from(body, (byte, index) => (index === 0 ? byte ^ 1 : byte));
        expect(verifyRequest(request, { now: CREATED, body: other, keys }).outcome).toBe('Refused');
      },
    ),
    { numRuns: 40 },
  );
});

test('the digest is the one of RFC 9530', () =>
  expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
    'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
  ));
