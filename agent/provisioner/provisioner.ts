/**
 * What every provisioner can do, whatever stands behind it: scripts, a person, later a hypervisor's API.
 * `create` is idempotent by contract and epoch; `destroy` answers `Absent` once it is gone and throws while it
 * is not; `list` answers from the machines themselves and throws when it could not look: a failed listing is
 * never an empty one. All throw `ProvisionerError`, or the signal's reason when they are aborted. Nothing here
 * serialises: whoever calls holds one mutex per contract. Source: contract.md, "The lock", 7 and 9.
 */

/** The tags on a machine: whose it is, and of which grant. `contractId` is 32 hex digits. */
export type Tags = Readonly<{ contractId: string; epoch: number; installation: string; agentUid: string }>;

/** A machine, named together with the tags that it must have: nothing else may be touched. */
export type InstanceRef = Tags & Readonly<{ externalId: string }>;

export type CreateRequest = Tags &
  Readonly<{
    offeringId: string;
    /** Undefined: the offering does not say, the provisioner has its own default. */
    cpuCores?: number | undefined;
    memoryMb?: number | undefined;
    storageGb?: number | undefined;
    sshPublicKeys: readonly string[];
    /** The offering's provisioner config under the tenant's instance config. May hold secrets: never logged. */
    instanceConfig: Readonly<Record<string, unknown>>;
    postProvisionScript?: string | undefined;
  }>;

export type CreatedInstance = Readonly<{
  externalId: string;
  /** Where the tenant's SSH client goes; undefined when the provisioner does not know its address. */
  host?: string | undefined;
  port: number;
  user?: string | undefined;
  addresses: readonly string[];
  /** `SHA256:…` as the provisioner knows it; the agent compares it with what the machine shows. */
  hostKeyFingerprint?: string | undefined;
  /** True when a person vouches that it can be reached, so no banner has to be read. */
  isConfirmed: boolean;
  /** Anything else that goes into the report as it is, e.g. gateway fields. No secrets. */
  details: Readonly<Record<string, string | number>>;
}>;

export type InstanceState = 'Running' | 'Stopped' | 'Unknown';

export type ListedInstance = Readonly<{
  externalId: string;
  contractId: string;
  epoch: number;
  installation: string;
  /** Undefined when the machine does not say, e.g. one made by a script that does not know agents. */
  agentUid?: string | undefined;
  state: InstanceState;
  /** RFC 3339. */
  createdAt: string;
  /** How much of the host it takes, where the provisioner can tell. */
  size?: Readonly<{ cpuMilli: number; memoryBytes: number; storageBytes: number }> | undefined;
}>;

export type Health =
  | Readonly<{ status: 'Healthy'; uptimeSeconds: number | undefined }>
  | Readonly<{ status: 'Unhealthy'; reason: string }>
  | Readonly<{ status: 'Unknown' }>;

export type Cancellable = Readonly<{ signal: AbortSignal }>;

export type Provisioner = Readonly<{
  /** As in `AgentPool.spec.provisionerType`. */
  type: string;
  /** Made, or found as it was made before for the same contract and epoch. A machine of another epoch: throws. */
  create: (request: CreateRequest, options: Cancellable) => Promise<CreatedInstance>;
  /** Re-tags the machine `ref` with a newer epoch and, where it was another's, a new agent. A stopped one stays stopped. Idempotent. */
  adopt: (
    ref: InstanceRef,
    tags: Readonly<{ epoch: number; agentUid: string }>,
    options: Cancellable,
  ) => Promise<CreatedInstance>;
  /** `Absent`: seen to be gone. Refuses a machine whose tags differ from `ref`. */
  destroy: (ref: InstanceRef, options: Cancellable) => Promise<'Absent'>;
  start: (ref: InstanceRef, options: Cancellable) => Promise<void>;
  stop: (ref: InstanceRef, options: Cancellable) => Promise<void>;
  observe: (ref: InstanceRef, options: Cancellable) => Promise<Health>;
  /**
   * The same machine with a fresh system; its name and tags stay, all data on it goes, the host key may change.
   * Interrupted it leaves a machine that is listed, and may be asked again. Absent: it cannot.
   */
  reinstall?: (ref: InstanceRef, request: CreateRequest, options: Cancellable) => Promise<CreatedInstance>;
  /** From now on exactly these keys open a new session. Idempotent. Absent: it cannot. */
  setSshKeys?: (ref: InstanceRef, sshPublicKeys: readonly string[], options: Cancellable) => Promise<void>;
  /**
   * From now on this password logs in, beside the keys; an earlier one does not. Answers as whom, where that is
   * not the user of the machine. Never logged. Absent: it cannot.
   */
  setPassword?: (
    ref: InstanceRef,
    password: string,
    options: Cancellable,
  ) => Promise<Readonly<{ user?: string | undefined }>>;
  /** Every machine of this installation on this host, also those of other agents. */
  list: (options: Cancellable) => Promise<readonly ListedInstance[]>;
}>;
