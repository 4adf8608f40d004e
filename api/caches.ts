/**
 * What the facade looks up without asking the API server, as one interface: every question has an index, so no
 * answer costs more because there are more contracts. `informers.ts` fills it from watches.
 */
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import type { Contract } from '../crds/contract/contract.ts';
import type { Offering } from '../crds/offering.ts';
import type { Provider } from '../crds/provider.ts';
import type { SetupToken } from '../crds/setup-token.ts';
import type { Lease } from './clients.ts';

export type Ref = Readonly<{ namespace: string; name: string }>;

export type Caches = Readonly<{
  /** Whether every informer has seen its first list. */
  isSynced: () => boolean;
  providers: Readonly<{
    all: () => readonly Provider[];
    byName: (name: string) => Provider | undefined;
    byKey: (publicKey: string) => readonly Provider[];
    byNamespace: (namespace: string) => readonly Provider[];
  }>;
  pools: Readonly<{
    get: (ref: Ref) => AgentPool | undefined;
    inNamespace: (namespace: string) => readonly AgentPool[];
    /** Pools that could build what waits under a demand key. */
    supplying: (demandKey: string) => readonly AgentPool[];
  }>;
  agents: Readonly<{
    byKey: (publicKey: string) => readonly Agent[];
    byUid: (uid: string) => Agent | undefined;
    inPool: (pool: Ref) => readonly Agent[];
    inNamespace: (namespace: string) => readonly Agent[];
  }>;
  tokens: Readonly<{
    bySecretHash: (sha256: string) => SetupToken | undefined;
  }>;
  offerings: Readonly<{
    get: (ref: Ref) => Offering | undefined;
    all: () => readonly Offering[];
    byUid: (uid: string) => Offering | undefined;
    byName: (name: string) => readonly Offering[];
    /** Changes whenever an offering does. */
    version: () => number;
  }>;
  contracts: Readonly<{
    /** Never older than what this process wrote. */
    byUid: (uid: string) => Contract | undefined;
    /** Tells of a write of this process, before the watch does. */
    note: (written: Contract) => void;
    ofTenant: (publicKey: string) => readonly Contract[];
    inNamespace: (namespace: string) => readonly Contract[];
    /** Contracts in which the agent is a holder. */
    heldBy: (agentUid: string) => readonly Contract[];
    /** Requests that wait for the provider of a namespace. */
    undecidedIn: (namespace: string) => readonly Contract[];
    /** Contracts whose tenants wish something of the agent's machine. */
    wishingOf: (agentUid: string) => readonly Contract[];
    /** Accepted contracts that wait under a demand key, oldest first. To be read without a pause. */
    waiting: (demandKey: string) => Iterable<Contract>;
    /** Another one whenever something that waits under the key has changed. */
    queueVersion: (demandKey: string) => number;
    /** Of these, the ones that the agent has begun and may go on with. */
    resumableBy: (agentUid: string) => readonly Contract[];
    /** Contracts of which the agent may have what can never count again. */
    doomedAt: (agentUid: string) => readonly Contract[];
    /** How many wait where this one does, and how many of them are before it. */
    placeInQueue: (uid: string) => Readonly<{ ahead: number; waiting: number }> | undefined;
    /** Contracts with an attempt that failed by the fault of this agent. */
    failedBy: (agentUid: string) => readonly Contract[];
    /** Those of the tenant that this one is to be kept apart from. */
    companionsOf: (contract: Contract) => readonly Contract[];
    byIdempotencyKey: (use: Readonly<{ tenantKey: string; keyHash: string }>) => Contract | undefined;
  }>;
  leases: Readonly<{ get: (ref: Ref) => Lease | undefined; ofAgent: (uid: string) => Lease | undefined }>;
}>;
