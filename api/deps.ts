/** What every route is given; `main.ts` and tests wire it by hand. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { publicKeyCache } from '../lib/signature/key-cache.ts';
import type { NonceStore } from './auth/nonces.ts';
import type { Caches } from './caches.ts';
import type { Clients } from './clients.ts';
import type { ContractGate } from './contract-gate.ts';
import type { Installation } from './installation.ts';
import type { Placements } from './placement/placements.ts';
import type { LiveSupply } from './placement/supply.ts';
import type { WorldKeeper } from './restore/world.ts';
import type { StorePort } from './store-port.ts';
import type { Wakes } from './wake.ts';
import type { LiveContracts } from './work/live-contracts.ts';

export type Deps = Readonly<{
  clients: Clients;
  caches: Caches;
  wakes: Wakes;
  gate: ContractGate;
  /** Claims of one agent, one at a time: the second must see the room that the first has taken. By agent UID. */
  claims: ContractGate;
  supply: LiveSupply;
  placements: Placements;
  /** How long the first choice for a contract may claim alone. */
  headStartMs: number;
  /** Contracts that no cache knows. */
  liveContracts: LiveContracts;
  store: StorePort;
  installation: () => Promise<Installation>;
  nonces: NonceStore;
  keys: ReturnType<typeof publicKeyCache>;
  clock: Clock;
  log: Logger;
  /** host[:port] that signatures may name. Known only once the port is, hence a function. */
  authorities: () => ReadonlySet<string>;
  publicUrl: () => string;
  registration: 'Open' | 'Closed';
  /** Path of the agent's entry file, for the bundle of /setup. */
  agentEntry: string;
  /** Is the API server there, and do the clocks agree? */
  clusterHealth: () => Promise<ClusterHealth>;
  /** Machines of no contract are not judged while they are younger. */
  orphanMinAgeMs: number;
  /** Whether an older etcd was put back: what is suspected, and what must rest until it is resolved. */
  world: WorldKeeper;
  /** Aborted when the facade stops: long polls and streams end. */
  stopping: AbortSignal;
}>;

export type ClusterHealth = Readonly<{ reachable: boolean; skewMs: number | undefined; detail: string }>;
