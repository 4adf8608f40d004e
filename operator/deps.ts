/** What every reconciler of the operator is given; `main.ts` wires it by hand. */
import type { Observe } from '../kube/observation.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Store } from '../store/store.ts';
import type { Clients, Informers } from './clients.ts';
import type { OperatorWorld } from './restore/world.ts';
import type { AttemptBook } from './supply/attempt-book.ts';
import type { SupplyKeeper } from './supply/keeper.ts';

export type OperatorDeps = Readonly<{
  clients: Clients;
  informers: Informers;
  /** Pools and agents for placing. */
  supply: SupplyKeeper;
  /** What agents tried in the last day. */
  book: AttemptBook;
  store: Pick<Store, 'archive' | 'instances' | 'idempotency' | 'attempts' | 'deadLetters' | 'restore'>;
  /** Whether an older etcd was put back. */
  world: OperatorWorld;
  /** How long a provider may retry what failed. FAILED_GRACE_MS when left out. */
  failedGraceMs?: number | undefined;
  /** How long what has ended stays in the cluster. RETENTION_MS when left out. */
  retentionMs?: number | undefined;
  clock: Clock;
  observe: Observe;
  log: Logger;
  /** The only namespace that is seen to; undefined: all of them. */
  namespace: string | undefined;
}>;
