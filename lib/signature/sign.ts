/**
 * Signs a request with an Ed25519 key as `docs/api.md`, "The signature", says (RFC 9421, RFC 9530). Uses
 * `@noble/ed25519`, which also runs in a browser, so that agent, CLI and dashboard sign with the same code.
 */
import { randomBytes } from 'node:crypto';
import { getPublicKeyAsync, signAsync } from '@noble/ed25519';
import { contentDigest, REQUIRED_COMPONENTS, signatureBase } from './base.ts';

export type RequestToSign = Readonly<{
  method: string;
  url: URL;
  body?: Uint8Array | undefined;
}>;

/** `nonce` is 16–64 characters of `[A-Za-z0-9_-]`, used once per key; a random one when absent. */
export type SigningOptions = Readonly<{ seed: string; now: Date; nonce?: string | undefined }>;

/** The headers to add to the request: `signature-input`, `signature` and, with a body, `content-digest`. */
export async function signRequest(
  request: RequestToSign,
  { seed, now, nonce = randomBytes(16).toString('base64url') }: SigningOptions,
): Promise<Record<string, string>> {
  const secret = Buffer.from(seed, 'hex');
  const keyid = Buffer.from(await getPublicKeyAsync(secret)).toString('hex');
  const headers: Record<string, string> = {};
  if (request.body && request.body.length > 0) headers['content-digest'] = contentDigest(request.body);
  const components = [...REQUIRED_COMPONENTS, ...(headers['content-digest'] ? ['content-digest'] : [])];
  const list = components.map((component) => `"${component}"`).join(' ');
  const created = Math.floor(now.getTime() / 1000);
  const params = `(${list});created=${created};nonce="${nonce}";keyid="${keyid}";alg="ed25519"`;
  const base = signatureBase(
    {
      method: request.method,
      authority: request.url.host.toLowerCase(),
      path: request.url.pathname,
      query: request.url.search || '?',
      headers,
    },
    { components, params },
  );
  // Every component that was put on the list above has a value, so the base exists.
  const signature = await signAsync(Buffer.from(base ?? ''), secret);
  return {
    ...headers,
    'signature-input': `sig1=${params}`,
    signature: `sig1=:${Buffer.from(signature).toString('base64')}:`,
  };
}
