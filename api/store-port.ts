/** The part of the store that the facade uses, and what stands in for it when no database is configured. */
import { Problem } from '../crds/problem.ts';
import type { Store } from '../store/store.ts';

export type StorePort = Pick<Store, 'archive' | 'idempotency'> & {
  readonly instances: Pick<Store['instances'], 'getMany'>;
  readonly attempts: Pick<Store['attempts'], 'get'>;
  readonly restore: Pick<Store['restore'], 'world' | 'raise' | 'putListing'>;
};

/** Every call is refused as if the database were down: the routes that need it answer 503, the rest works. */
export function noStore(): StorePort {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new Problem('StoreUnavailable', 'No database is configured on this server.', {
        next: 'Set DATABASE_URL and start it again; agents and running machines are not affected.',
        retryAfterSeconds: 30,
      }),
    );
  return {
    archive: {
      put: refuse,
      keepMoves: refuse,
      get: refuse,
      findByIdempotencyKey: refuse,
      listByTenant: refuse,
    },
    instances: { getMany: refuse },
    attempts: { get: refuse },
    restore: { world: refuse, raise: refuse, putListing: refuse },
    idempotency: { claim: refuse, get: refuse, setContract: refuse, deleteExpired: refuse },
  };
}
