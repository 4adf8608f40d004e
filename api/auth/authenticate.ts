/**
 * From a request to a caller: the signature over the raw body, the authority it was made for, the nonce, and
 * then whose key it is. Every refusal says what is wrong and what to do. Runs before JSON is parsed.
 */
import type { FastifyRequest } from 'fastify';
import { Problem, type ProblemCode } from '../../crds/problem.ts';
import { assertNever } from '../../lib/assert.ts';
import type { SignableRequest } from '../../lib/signature/base.ts';
import { type SignatureRefusal, type Verified, verifyRequest } from '../../lib/signature/verify.ts';
import type { Deps } from '../deps.ts';
import { untilCached, WAKE } from '../wake.ts';
import type { Access, Caller } from './caller.ts';
import { identifyAgent, identifyProvider, isJudged } from './identify.ts';

export type AuthDeps = Pick<
  Deps,
  'authorities' | 'nonces' | 'keys' | 'clock' | 'caches' | 'wakes' | 'stopping'
>;

/** Throws Problem 401 or 403. A key that became known a moment ago through another facade is waited for. */
export async function authenticate(
  deps: AuthDeps,
  { request, access }: { request: FastifyRequest; access: Access },
): Promise<Caller> {
  if (access.as === 'Anyone') return { as: 'Anyone' };
  const { keyid: publicKey, nonce } = verifySignature(deps, request);
  await untilKnown(deps, { access, publicKey });
  switch (access.as) {
    case 'Key':
      return { as: 'Key', publicKey, nonce };
    case 'Provider':
      return {
        as: 'Provider',
        publicKey,
        nonce,
        ...identifyProvider(deps, { publicKey, pathKey: pathKey(request) ?? publicKey }),
      };
    case 'Agent':
      return {
        as: 'Agent',
        publicKey,
        nonce,
        ...identifyAgent(deps, { publicKey, pathKey: pathKey(request) ?? '', permission: access.permission }),
      };
    default:
      return assertNever(access);
  }
}

/** Nothing to wait for when the key is known already, which is always but once. */
async function untilKnown(
  deps: AuthDeps,
  { access, publicKey }: Readonly<{ access: Access; publicKey: string }>,
): Promise<void> {
  const { agents, pools, providers } = deps.caches;
  const keys = [WAKE.key(publicKey)];
  if (access.as === 'Agent') {
    await untilCached(deps, { keys, isThere: () => agents.byKey(publicKey).length > 0 });
    // An agent may be heard of before its pool: they come through watches of their own.
    const ofPools = agents.byKey(publicKey).map(({ metadata, spec }) => ({
      namespace: metadata.namespace ?? '',
      name: spec.poolName,
    }));
    await untilCached(deps, {
      keys: ofPools.map(({ namespace, name }) => WAKE.demand(`${namespace}/pool/${name}`)),
      isThere: () => ofPools.every((pool) => pools.get(pool) !== undefined),
    });
  }
  if (access.as === 'Provider')
    await untilCached(deps, { keys, isThere: () => providers.byKey(publicKey).some(isJudged) });
}

function verifySignature(deps: AuthDeps, request: FastifyRequest): Verified {
  const signable = signableOf(request);
  const isSigned = signable.headers['signature-input'] !== undefined;
  const authorities = deps.authorities();
  if (isSigned && !authorities.has(signable.authority))
    throw new Problem('WrongAuthority', `This server is not ${signable.authority.slice(0, 200)}.`, {
      next: `Send the request to ${[...authorities].slice(0, 3).join(' or ')}, and sign it for that name.`,
    });
  const result = verifyRequest(signable, { now: deps.clock.now(), body: request.rawBody, keys: deps.keys });
  if (result.outcome === 'Refused') throw signatureProblem(result);
  const use = deps.nonces.use({ keyid: result.keyid, nonce: result.nonce, nowMs: deps.clock.monotonicMs() });
  if (use === 'Replayed')
    throw new Problem('NonceReplayed', 'A request with this nonce was received before.', {
      next: 'Sign every request anew, with a nonce of its own.',
    });
  if (use === 'Full')
    throw new Problem('TooManyRequests', 'This server remembers as many nonces as it can.', {
      next: 'Try again in a minute.',
      retryAfterSeconds: 60,
    });
  return result;
}

/** What a signature covers, as it arrived: nothing is decoded or normalised but the authority. */
function signableOf(request: FastifyRequest): SignableRequest {
  const url = request.raw.url ?? '/';
  const mark = url.indexOf('?');
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
  return {
    method: request.method,
    authority: normalAuthority(request.headers.host ?? ''),
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '?' : url.slice(mark),
    headers,
  };
}

/** Lower case, without the default port of either scheme: TLS may end in front of us. */
export const normalAuthority = (host: string): string => host.toLowerCase().replace(/:(80|443)$/, '');

const CODES: Readonly<Record<SignatureRefusal['because'], Readonly<{ code: ProblemCode; next: string }>>> = {
  Missing: {
    code: 'SignatureMissing',
    next: 'Sign the request with your Ed25519 key as /docs describes (RFC 9421), or use `dcm call`.',
  },
  Malformed: { code: 'SignatureMalformed', next: 'Compare it with the test vectors of the documentation.' },
  Unsupported: { code: 'SignatureMalformed', next: 'Use plain components and alg="ed25519".' },
  ClockSkew: {
    code: 'ClockSkew',
    next: 'Set the clock of this machine, for example with NTP, and sign again.',
  },
  DigestMismatch: { code: 'DigestMismatch', next: 'Make Content-Digest from the exact bytes that are sent.' },
  BadSignature: {
    code: 'SignatureInvalid',
    next: 'Sign method, authority, path, query and body as they are sent.',
  },
};

function signatureProblem({ because, detail }: SignatureRefusal): Problem {
  const { code, next } = CODES[because];
  return new Problem(code, detail, { next });
}

/** The provider that the path names; undefined where it names none, and the caller means itself. */
function pathKey({ params }: FastifyRequest): string | undefined {
  if (typeof params !== 'object' || params === null || !('pk' in params)) return undefined;
  return typeof params.pk === 'string' ? params.pk : '';
}
