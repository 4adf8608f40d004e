/** Which of the facade's routes a request is for, and who calls, read from the request as it is on the wire. */
import { z } from 'zod';

export type Route =
  | 'heartbeat'
  | 'work'
  | 'claim'
  | 'renew'
  | 'release'
  | 'provisioned'
  | 'failed'
  | 'terminated'
  | 'reconcile'
  | 'rent'
  | 'cancel'
  | 'other';

export type FacadeCall = Readonly<{
  /** Counts from 1 in the order of arrival. */
  n: number;
  route: Route;
  method: string;
  path: string;
  /** Public key that signed it, 64 hex digits; empty when nobody did. */
  key: string;
  /** 32 hex digits, where the path names one. */
  contractId: string | undefined;
}>;

type Seen = Readonly<{ n: number; method: string; path: string; signatureInput: string; body: Buffer }>;

export function facadeCallOf({ n, method, path, signatureInput, body }: Seen): FacadeCall {
  const key = /keyid="([0-9a-f]{64})"/.exec(signatureInput)?.[1] ?? '';
  const contractId = /\/contracts\/([0-9a-f]{32})/.exec(path)?.[1];
  return { n, route: routeOf({ method, path, body }), method, path, key, contractId };
}

const Claim = z.object({ epoch: z.int().optional() });

function routeOf({ method, path, body }: Pick<Seen, 'method' | 'path' | 'body'>): Route {
  const last = path.split('?')[0]?.split('/').at(-1);
  switch (last) {
    case 'lock':
      if (method === 'DELETE') return 'release';
      return Claim.parse(JSON.parse(body.toString() || '{}')).epoch === undefined ? 'claim' : 'renew';
    case 'heartbeat':
    case 'work':
    case 'provisioned':
    case 'failed':
    case 'terminated':
    case 'reconcile':
    case 'cancel':
      return last;
    case 'contracts':
      return method === 'POST' ? 'rent' : 'other';
    default:
      return 'other';
  }
}
