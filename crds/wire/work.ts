/**
 * What an agent says and hears: heartbeat, work, lock, reports and reconcile. `then` in an answer orders it to
 * go on or to destroy; Destroy is only ever said after a live read of the API server.
 */
import { z } from 'zod';
import { ATTEMPT_CLASSES, WISHES } from '../contract/status.ts';
import { count, freeForm, instant, name, publicKey, text, uid } from '../fields.ts';

/** Nanoseconds since 1970, beyond what a JavaScript integer holds exactly: the last digits are rounded. */
const nanoseconds = () => z.number().min(0);

/** An address or a host name, and a login: tenants read them, so nothing else may hide in them. */
const address = () =>
  z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9:][A-Za-z0-9.:%-]*$/);
const login = () =>
  z
    .string()
    .max(32)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);

const epoch = () => count(Number.MAX_SAFE_INTEGER);
export const Session = z
  .string()
  .min(8)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/);
const contractId = () => z.string().regex(/^[0-9a-f]{32}$/);

/** What the agent heard last of how far the world had got; a facade signed it. */
const heard = () =>
  z
    .string()
    .max(128)
    .regex(/^[0-9]+\.[0-9]+\.[A-Za-z0-9_-]+$/);
/** Came with the grant: nobody can claim an epoch that was never granted. */
const proof = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_-]+$/);
const generation = () => count(Number.MAX_SAFE_INTEGER);

/** Continue: go on. Destroy: this epoch can never become valid again; destroy what it built. */
export const Then = z.enum(['Continue', 'Destroy']);
export type Then = z.infer<typeof Then>;

export const HostResources = z.strictObject({
  cpuModel: text(200).nullish().describe('Name of the CPU.'),
  cpuCores: count(100_000).optional().describe('Physical cores.'),
  cpuThreads: count(100_000).optional().describe('Logical CPUs.'),
  cpuMhz: count(100_000).nullish().describe('Clock.'),
  memoryTotalMb: count(Number.MAX_SAFE_INTEGER).optional().describe('Memory of the host. MiB.'),
  memoryAvailableMb: count(Number.MAX_SAFE_INTEGER).optional().describe('Free memory. MiB.'),
  storagePools: z
    .array(
      z.strictObject({
        name: text(100).describe('Name.'),
        totalGb: count(Number.MAX_SAFE_INTEGER).describe('GiB.'),
        availableGb: count(Number.MAX_SAFE_INTEGER).describe('GiB.'),
        storageType: text(64).optional().describe('Kind.'),
      }),
    )
    .max(64)
    .optional()
    .describe('Disks.'),
  gpuDevices: z
    .array(
      z.strictObject({
        pciId: text(64).describe('PCI id.'),
        name: text(200).describe('Name.'),
        vendor: text(100).describe('Vendor.'),
        memoryMb: count(Number.MAX_SAFE_INTEGER).nullish().describe('MiB.'),
      }),
    )
    .max(64)
    .optional()
    .describe('GPUs.'),
  templates: z
    .array(z.strictObject({ vmid: count(4_294_967_295), name: text(200) }))
    .max(256)
    .optional()
    .describe('Templates.'),
});

export const HeartbeatRequest = z.strictObject({
  version: text(64).describe('Version of dc-agent.'),
  provisionerType: text(32).describe('What it builds with.'),
  session: Session.optional().describe('Random id of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Raised on disk at each start of the agent.'),
  fingerprint: text(128)
    .optional()
    .describe('Hash of machine id and boot id: another one is a clone, not a restart.'),
  capabilities: z.array(text(64)).max(64).nullish().describe('Named features.'),
  activeContracts: z.int().min(-1_000_000).max(1_000_000).describe('Running instances.'),
  resources: HostResources.optional().describe('Size of the host.'),
  leaving: z
    .boolean()
    .optional()
    .describe('True in the last heartbeat of a graceful stop: this session is over.'),
  heard: heard().optional().describe('The highest that was heard in `heard` of an answer.'),
});
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;

export const HeartbeatResponse = z.object({
  acknowledged: z.boolean().describe('Always true.'),
  nextHeartbeatSeconds: z.int().describe('When to send the next one. Seconds.'),
  poolId: name().describe('Its pool.'),
  poolName: text(100).describe('Name of the pool.'),
  serverTime: instant().describe("The facade's clock, to name a skew."),
  installation: z.string().describe('Id of this installation: tag of machines.'),
  agentUid: z.string().describe('UID of the Agent object: tag of machines.'),
  drain: z.boolean().optional().describe('It is to be emptied.'),
  upgradeToVersion: z.string().optional().describe('Version to upgrade to.'),
  generation: generation()
    .optional()
    .describe('Risen: an older etcd was put back. Drop every grant and order, then list; machines stay.'),
  heard: heard().optional().describe('Keep the highest on disk, and send it with heartbeats and claims.'),
});
export type HeartbeatResponse = z.infer<typeof HeartbeatResponse>;

export const WorkItem = z.object({
  action: z
    .enum(['Provision', 'Destroy', 'Start', 'Stop', 'Restart', 'Reinstall', 'SetSshKeys', 'ResetPassword'])
    .describe('What to do.'),
  contractId: contractId().describe('Which contract.'),
  epoch: epoch().describe(
    'Provision: the epoch that was read, to name in the claim. Otherwise: of the machine.',
  ),
  externalId: z.string().optional().describe('Name of the machine, where it is known.'),
  lockTtlSeconds: z.int().optional().describe('Provision: how long a lock lives. Seconds.'),
  contract: z
    .lazy(() => PendingContract)
    .optional()
    .describe('Provision and Reinstall: what to build.'),
  count: count()
    .optional()
    .describe('Restart, Reinstall, ResetPassword: the wish is done once; name this number when it is.'),
  sshPublicKeys: z.array(z.string()).optional().describe('SetSshKeys: exactly these can log in.'),
  sshKeysSHA256: z.string().optional().describe('SetSshKeys: name this hash when it is done.'),
});
export type WorkItem = z.infer<typeof WorkItem>;
export const WorkList = z.array(WorkItem);

/** As the reference agent reads it (snake_case) with camelCase twins. */
export const PendingContract = z.object({
  contractId: contractId(),
  offeringId: z.string(),
  epoch: epoch(),
  requesterSshPubkey: z.string().describe('The keys, one a line.'),
  cpuCores: z.int(),
  memoryAmount: z.string().describe('`N MB`.'),
  storageCapacity: z.string().describe('`N GB`.'),
  provisionerType: z.string(),
  provisionerConfig: z.string().optional().describe('JSON in a string.'),
  instanceConfig: z.string().optional().describe('JSON in a string.'),
  postProvisionScript: z.string().optional(),
  contract_id: contractId(),
  offering_id: z.string(),
  requester_ssh_pubkey: z.string(),
  cpu_cores: z.int(),
  memory_amount: z.string(),
  storage_capacity: z.string(),
  provisioner_type: z.string(),
  provisioner_config: z.string().optional(),
  instance_config: z.string().optional(),
  post_provision_script: z.string().optional(),
});
export type PendingContract = z.infer<typeof PendingContract>;

export const LockRequest = z
  .strictObject({
    session: Session.optional().describe('Session of this process.'),
    incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
    epoch: epoch().optional().describe('To renew: the epoch that was granted.'),
    observedEpoch: epoch()
      .optional()
      .describe('To claim: the epoch that the work item named; a late duplicate is refused.'),
    heard: heard().optional().describe('As in the heartbeat.'),
    proof: proof().optional().describe('To renew: as the grant had it.'),
  })
  .refine((body) => (body.session === undefined) === (body.incarnation === undefined), {
    path: ['incarnation'],
    message: 'session and incarnation go together',
  })
  .nullish();

export const LockResponse = z.object({
  acquired: z.boolean().describe('Whether the agent holds the lock now.'),
  epoch: epoch().optional().describe('Epoch of the grant.'),
  expiresAt: instant().optional().describe('For people.'),
  expiresAtNs: nanoseconds().describe('The same in nanoseconds since 1970; 0 without a lock.'),
  expiresInMs: z
    .int()
    .optional()
    .describe('Count this from before the request was sent, on a monotonic clock.'),
  then: Then.describe('What to do.'),
  held: z.object({ agent: z.string(), until: instant() }).optional().describe('Who holds it instead.'),
  proof: proof().optional().describe('That this epoch was granted: send it with reports and renewals.'),
  heard: heard().optional().describe('As in the heartbeat.'),
});
export type LockResponse = z.infer<typeof LockResponse>;

export const ReleaseRequest = z
  .strictObject({
    session: Session.optional().describe('Session of this process.'),
    incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
    epoch: epoch().optional().describe('The epoch that is given up.'),
    class: z.enum(['capacity']).optional().describe('capacity: there was no room after all.'),
    proof: proof().optional().describe('As the grant had it.'),
  })
  .nullish();

export const ReleaseResponse = z.object({ released: z.boolean(), then: Then });

export const InstanceDetails = z.strictObject({
  externalId: z.string().min(1).max(256).describe('Name of the machine at its provisioner.'),
  ipAddress: address().nullish().describe('Address for SSH.'),
  ipv6Address: address().nullish().describe('IPv6 address.'),
  publicIp: address().nullish().describe('Public address, where it differs.'),
  sshPort: z.int().min(1).max(65_535).describe('Port for SSH.'),
  sshUser: login().nullish().describe('User to log in as.'),
  hostKeyFingerprint: z
    .string()
    .max(100)
    .regex(/^SHA256:[A-Za-z0-9+/=]{10,60}$/)
    .nullish()
    .describe('SSH host key as the agent read it.'),
  verifiedAt: instant().nullish().describe('When the agent read the SSH banner.'),
  additionalDetails: freeForm().nullish().describe('Anything else; kept out of the contract.'),
});
export type InstanceDetails = z.infer<typeof InstanceDetails>;

export const ProvisionedRequest = z.strictObject({
  epoch: epoch().optional().describe('Epoch of the grant.'),
  session: Session.optional().describe('Session of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
  instanceDetails: InstanceDetails,
  sshKeysSHA256: publicKey().optional().describe('Hash of the keys that it was built with.'),
  proof: proof().optional().describe('As the grant had it.'),
});

/** What was done of the tenant's wishes; each member only when it was carried out. */
export const AppliedRequest = z.strictObject({
  epoch: epoch().describe('Epoch of the machine.'),
  session: Session.optional().describe('Session of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
  powerState: z.enum(['Running', 'Stopped']).optional().describe('How it was left.'),
  restart: count().optional().describe('The restart that was carried out.'),
  reinstall: count().optional().describe('The re-installation that was carried out.'),
  passwordReset: count().optional().describe('The new password that was set.'),
  sshKeysSHA256: publicKey().optional().describe('The keys that were set.'),
  failed: z
    .strictObject({
      wish: z.enum(WISHES).describe('Which wish.'),
      mark: text(64).min(1).describe('Which of them: count, state or hash of the order.'),
      isFinal: z.boolean().describe('True: it can never be done and is not ordered again.'),
      message: z.string().min(1).max(4000).describe('What went wrong, for the provider.'),
    })
    .optional()
    .describe('A wish that did not work; it is ordered again unless that is final.'),
  instanceDetails: InstanceDetails.optional().describe(
    'After a re-installation: the host key is another one.',
  ),
});

export const FailedRequest = z.strictObject({
  epoch: epoch().optional().describe('Epoch of the grant.'),
  session: Session.optional().describe('Session of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
  errorMessage: z.string().min(1).max(4000).describe('What went wrong, for the provider.'),
  class: z.enum(ATTEMPT_CLASSES).default('transient').describe('Kind of failure.'),
  proof: proof().optional().describe('As the grant had it.'),
});

export const FailedResponse = z.object({
  willRetry: z.boolean().describe('Whether the contract is tried again.'),
  notBefore: instant().optional().describe('When at the earliest.'),
  then: Then,
});

export const TerminatedRequest = z
  .strictObject({
    epoch: epoch().optional().describe('Epoch of the machine that is gone.'),
    session: Session.optional().describe('Session of this process.'),
    incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
    proof: proof().optional().describe('As the grant had it.'),
  })
  .nullish();

export const TerminatedResponse = z.object({
  confirmed: z.boolean().describe('Whether an entry was removed now.'),
});

export const ListedInstance = z.strictObject({
  externalId: z.string().min(1).max(256).describe('Name of the machine.'),
  contractId: z.string().max(64).nullish().describe('Tag: contract.'),
  epoch: epoch().optional().describe('Tag: epoch.'),
  agentUid: uid().optional().describe('Tag: UID of the agent that built it.'),
  installation: text(64).optional().describe('Tag: installation.'),
  state: z.enum(['Running', 'Stopped', 'Unknown']).optional().describe('Is it running.'),
  createdAt: instant().optional().describe('When it was built.'),
  proof: proof().optional().describe('As the grant of this epoch had it.'),
  details: InstanceDetails.optional().describe(
    'As it was reported once; in the first listing of a new generation, where the cluster may not know it.',
  ),
});
export type ListedInstance = z.infer<typeof ListedInstance>;

export const ReconcileRequest = z.strictObject({
  runningInstances: z
    .array(ListedInstance)
    .max(4096)
    .describe('Every machine, running or stopped, of a successful listing.'),
  orphans: z
    .strictObject({
      stopped: count(4096).describe('In quarantine.'),
      waiting: count(4096).describe('Their time is over; they wait for their turn.'),
    })
    .optional()
    .describe('Machines of no contract, as the agent has noted them.'),
  session: Session.optional().describe('Session of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
  generation: generation()
    .optional()
    .describe('Heard in the heartbeat, and everything dropped that is older, before the listing began.'),
});

const Named = z.object({ externalId: z.string(), contractId: z.string() });
export const ReconcileResponse = z.object({
  keep: z
    .array(Named.extend({ endsAt: nanoseconds(), epoch: epoch() }))
    .describe('Right as they are; start them if quarantined.'),
  terminate: z
    .array(Named.extend({ reason: z.string(), epoch: epoch() }))
    .describe('Destroy these, then confirm.'),
  unknown: z
    .array(
      z.object({
        externalId: z.string(),
        message: z.string(),
        isContractKnown: z
          .boolean()
          .optional()
          .describe('True: its contract is alive elsewhere; stop this machine, but never destroy it.'),
      }),
    )
    .describe(
      'They belong to nobody. Once 15 minutes old and said twice in a row: stop; destroy after 24 h unless the contract is known.',
    ),
  undecided: z
    .array(z.string())
    .optional()
    .describe('Names of machines that could not be judged this time: leave them as they are.'),
  deletionsSuspended: z
    .boolean()
    .optional()
    .describe('True: stop and destroy nothing until it is no longer said; the cluster may be an older one.'),
  pause: z.array(Named.extend({ reason: z.string() })).describe('Stop these.'),
  adopt: z
    .array(Named.extend({ epoch: epoch() }))
    .describe('Re-tag with your own agent UID: a revoked agent left them.'),
  confirm: z
    .array(z.object({ contractId: z.string(), epoch: epoch() }))
    .describe('Not listed: confirm their absence with `terminated`.'),
});
export type ReconcileResponse = z.infer<typeof ReconcileResponse>;

export const ProviderKeyParams = z.object({ pk: publicKey().describe('Public key of the provider.') });
