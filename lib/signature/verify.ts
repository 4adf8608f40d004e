/**
 * Verifies RFC 9421 Ed25519 request signatures with `node:crypto` and cached key objects (importing the key
 * each time halves the rate). Says of every refusal what is wrong; knows nothing of who the key belongs to,
 * of nonces already seen, or of the authorities that a server answers to: the caller decides those.
 */
import { timingSafeEqual, verify } from 'node:crypto';
import { type InnerList, isInnerList, parseDictionary, serializeInnerList } from 'structured-headers';
import { contentDigest, REQUIRED_COMPONENTS, type SignableRequest, signatureBase } from './base.ts';
import type { KeyCache } from './key-cache.ts';
import { HEX_KEY, type publicKeyObject } from './keys.ts';

export type Verified = Readonly<{ keyid: string; nonce: string; created: number }>;

export type SignatureRefusal = Readonly<{
  because: 'Missing' | 'Malformed' | 'Unsupported' | 'ClockSkew' | 'DigestMismatch' | 'BadSignature';
  detail: string;
}>;

export type VerifyResult = Readonly<
  ({ outcome: 'Verified' } & Verified) | ({ outcome: 'Refused' } & SignatureRefusal)
>;

/** `created` may be this far from the server's clock, either way. */
export const CREATED_WINDOW_SECONDS = 60;

const NONCE = /^[A-Za-z0-9_-]{16,64}$/;

export type VerifyOptions = Readonly<{
  now: Date;
  body: Uint8Array;
  keys: KeyCache<ReturnType<typeof publicKeyObject>>;
}>;

/** Checks signature, digest and clock of `request` whose raw body is `body` (empty without one). */
export function verifyRequest(request: SignableRequest, { now, body, keys }: VerifyOptions): VerifyResult {
  const parsed = parseSignature(request.headers);
  if ('because' in parsed) return { outcome: 'Refused', ...parsed };
  const problem = checkParameters(parsed, now) ?? checkCoverage(parsed, { request, body });
  if (problem) return { outcome: 'Refused', ...problem };
  const base = signatureBase(request, parsed);
  if (base === undefined) return refused('Malformed', 'a covered component is not in the request');
  const key = keys.get(parsed.keyid);
  if (!key || !verify(null, Buffer.from(base), key, parsed.signature))
    return refused(
      'BadSignature',
      'the signature does not match this request; check method, authority, path, query and body',
    );
  return { outcome: 'Verified', keyid: parsed.keyid, nonce: parsed.nonce, created: parsed.created };
}

type Parsed = Verified &
  Readonly<{ expires: number | undefined; components: string[]; params: string; signature: Buffer }>;

function parseSignature(headers: SignableRequest['headers']): Parsed | SignatureRefusal {
  const inputHeader = headers['signature-input'];
  const signatureHeader = headers['signature'];
  if (!inputHeader || !signatureHeader)
    return { because: 'Missing', detail: 'headers Signature-Input and Signature are required' };
  try {
    const inputs = parseDictionary(inputHeader);
    const [label, input] = [...inputs.entries()].find(([, member]) => isInnerList(member)) ?? [];
    const signature = label === undefined ? undefined : parseDictionary(signatureHeader).get(label)?.[0];
    if (!input || !isInnerList(input) || !(signature instanceof ArrayBuffer))
      return {
        because: 'Malformed',
        detail: 'Signature must hold a byte sequence for the label of Signature-Input',
      };
    return readParameters(input, Buffer.from(signature));
  } catch {
    return {
      because: 'Malformed',
      detail: 'Signature-Input or Signature is not a valid structured field (RFC 8941)',
    };
  }
}

function readParameters(input: InnerList, signature: Buffer): Parsed | SignatureRefusal {
  const [items, parameters] = input;
  const components = items.map(([value, itemParameters]) => (itemParameters.size === 0 ? String(value) : ''));
  if (components.includes(''))
    return { because: 'Unsupported', detail: 'component parameters (;sf, ;bs, ;req, …) are not supported' };
  if (new Set(components).size !== components.length)
    return { because: 'Malformed', detail: 'a component is covered twice' };
  const keyid = parameters.get('keyid');
  const nonce = parameters.get('nonce');
  const created = parameters.get('created');
  const alg = parameters.get('alg');
  if (typeof keyid !== 'string' || !HEX_KEY.test(keyid))
    return {
      because: 'Malformed',
      detail: 'keyid must be the Ed25519 public key in 64 lower-case hex characters',
    };
  if (typeof nonce !== 'string' || !NONCE.test(nonce))
    return { because: 'Malformed', detail: 'nonce must be 16 to 64 characters of A-Z a-z 0-9 _ -' };
  if (typeof created !== 'number' || !Number.isInteger(created))
    return { because: 'Malformed', detail: 'created must be an integer, in seconds since 1970' };
  const expires = parameters.get('expires');
  if (expires !== undefined && (typeof expires !== 'number' || !Number.isInteger(expires)))
    return { because: 'Malformed', detail: 'expires must be an integer, in seconds since 1970' };
  if (alg !== 'ed25519') return { because: 'Unsupported', detail: 'alg must be "ed25519"' };
  return { keyid, nonce, created, expires, components, params: serializeInnerList(input), signature };
}

function checkParameters({ created, expires }: Parsed, now: Date): SignatureRefusal | undefined {
  const offSeconds = created - now.getTime() / 1000;
  if (Math.abs(offSeconds) > CREATED_WINDOW_SECONDS) return skewed({ created, offSeconds, now });
  // The signer's own limit, RFC 9421, 2.3.
  if (expires === undefined || expires * 1000 >= now.getTime()) return undefined;
  const detail = `the signature expired at ${instantOf(expires)}, the server's clock is ${now.toISOString()}; sign again`;
  return { because: 'ClockSkew', detail };
}

type Skew = Readonly<{ created: number; offSeconds: number; now: Date }>;

function skewed({ created, offSeconds, now }: Skew): SignatureRefusal {
  return {
    because: 'ClockSkew',
    detail:
      `created is ${instantOf(created)}, the server's clock is ${now.toISOString()}: ` +
      `${Math.round(Math.abs(offSeconds))} s apart, at most ${CREATED_WINDOW_SECONDS} s are allowed; set your clock`,
  };
}

/** Seconds since 1970 in, RFC 3339 out; as it was sent where that is no instant. */
function instantOf(seconds: number): string {
  const instant = new Date(seconds * 1000);
  return Number.isNaN(instant.getTime()) ? String(seconds) : instant.toISOString();
}

function checkCoverage(
  { components }: Parsed,
  { request, body }: Readonly<{ request: SignableRequest; body: Uint8Array }>,
): SignatureRefusal | undefined {
  const required: string[] = [...REQUIRED_COMPONENTS, ...(body.length > 0 ? ['content-digest'] : [])];
  const missing = required.filter((component) => !components.includes(component));
  if (missing.length > 0)
    return {
      because: 'Malformed',
      detail: `the signature must cover ${missing.map((m) => `"${m}"`).join(', ')}`,
    };
  const digest = request.headers['content-digest'];
  if (digest === undefined) return undefined;
  return digestMatches(digest, body)
    ? undefined
    : { because: 'DigestMismatch', detail: 'Content-Digest is not the sha-256 of the body that arrived' };
}

function digestMatches(header: string, body: Uint8Array): boolean {
  let member: unknown;
  try {
    member = parseDictionary(header).get('sha-256')?.[0];
  } catch {
    return false;
  }
  if (!(member instanceof ArrayBuffer)) return false;
  const sent = Buffer.from(member);
  const actual = Buffer.from(contentDigest(body).slice('sha-256=:'.length, -1), 'base64');
  return sent.length === actual.length && timingSafeEqual(sent, actual);
}

const refused = (because: SignatureRefusal['because'], detail: string): VerifyResult => ({
  outcome: 'Refused',
  because,
  detail,
});
