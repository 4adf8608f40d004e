/** Signs as lib/signature/sign.ts does, but natively: a load of thousands of requests must not measure the signer. */
import { randomBytes, sign } from 'node:crypto';
import { contentDigest, REQUIRED_COMPONENTS, signatureBase } from '../../lib/signature/base.ts';
import { type KeyPair, privateKeyObject } from '../../lib/signature/keys.ts';

export type Signer = (request: {
  method: string;
  url: URL;
  body?: Buffer | undefined;
  now: Date;
}) => Record<string, string>;

export function fastSigner({ seed, publicKey }: KeyPair): Signer {
  const key = privateKeyObject(seed);
  return ({ method, url, body, now }) => {
    const headers: Record<string, string> = body ? { 'content-digest': contentDigest(body) } : {};
    const components = [...REQUIRED_COMPONENTS, ...(body ? ['content-digest'] : [])];
    const nonce = randomBytes(16).toString('base64url');
    const created = Math.floor(now.getTime() / 1000);
    const params = `(${components.map((name) => `"${name}"`).join(' ')});created=${created};nonce="${nonce}";keyid="${publicKey}";alg="ed25519"`;
    const request = { method, authority: url.host, path: url.pathname, query: url.search || '?', headers };
    const base = signatureBase(request, { components, params }) ?? '';
    const signature = sign(null, Buffer.from(base), key).toString('base64');
    return { ...headers, 'signature-input': `sig1=${params}`, signature: `sig1=:${signature}:` };
  };
}
