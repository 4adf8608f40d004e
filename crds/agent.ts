/** Agent: one `dc-agent` on one hypervisor. Its heartbeat is a Lease of the same name; this is what lasts. */
import { z } from 'zod';
import { Capacity, CapacityText, FREE_COLUMNS } from './capacity.ts';
import { conditions } from './condition.ts';
import { PHASES } from './contract/phase.ts';
import { count, instant, name, provisionerType, publicKey, quantity, text, uid, word } from './fields.ts';
import { maintenanceWindows } from './maintenance.ts';
import { AGE, defineResource, type Resource, STATUS_STAYS } from './resource.ts';
import { Unhealthy } from './unhealthy.ts';

export const PERMISSIONS = [
  'heartbeat',
  'fetch_contracts',
  'provision',
  'health_check',
  'dns_manage',
] as const;
export const Permission = z.enum(PERMISSIONS);
export type Permission = z.infer<typeof Permission>;

export const AgentSpec = z
  .object({
    publicKey: publicKey()
      .describe('Ed25519 public key that the agent signs with. Immutable.')
      .meta({
        'x-kubernetes-validations': [
          {
            rule: 'self == oldSelf',
            message: 'an agent keeps its key; revoke it and join again with another',
          },
        ],
      }),
    poolName: name().describe('Pool in the same namespace whose work it does.'),
    label: text(100).optional().describe('Name for people, e.g. the host name.'),
    permissions: z
      .array(Permission)
      .max(PERMISSIONS.length)
      .default([...PERMISSIONS])
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('What it may ask for. heartbeat, fetch_contracts, provision, health_check, dns_manage.'),
    cordoned: z.boolean().default(false).describe('While true it gets no new work; what it has stays.'),
    cordonReason: text(200).optional().describe('Why it is cordoned, for whoever looks.'),
    cordonedBy: text(100)
      .optional()
      .describe('Who cordoned it, for whoever looks: the API writes the provider.'),
    draining: z
      .boolean()
      .default(false)
      .describe('Like cordoned, and the agent is told that it is to be emptied.'),
    drainBy: instant()
      .optional()
      .describe(
        'While draining: from then on machines that their offering allows to build anew are moved away. Nothing is moved when absent.',
      ),
    maintenance: maintenanceWindows(),
    revoked: z
      .boolean()
      .default(false)
      .describe('Its key is refused from now on. One-way; the object stays while it owes.')
      .meta({
        'x-kubernetes-validations': [
          {
            rule: '!oldSelf || self',
            message: 'a revoked agent stays revoked; join again with a new setup token',
          },
        ],
      }),
  })
  .describe('What the provider wants of the agent.');

export const OwedDestroy = z
  .object({
    contractUID: uid().describe('UID of the contract, which may be gone.'),
    epoch: count().describe('Epoch of the machine.'),
    since: instant().describe('When it became a debt.'),
  })
  .describe('A machine that this agent may still have and must destroy.');

/** What an agent that is to be empty still has; `crds/contract/remaining.ts` says why. */
export const Remaining = z
  .object({
    count: count().describe('All of them.'),
    contracts: z
      .array(
        z.object({
          name: z.string().min(1).max(253).describe('Name of the Contract.'),
          phase: z.enum(PHASES).describe('Its phase.'),
          reason: word().describe('Why it is still there, as a word.'),
          message: text(300).describe('The same as a sentence, with what ends it.'),
        }),
      )
      .max(32)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .describe('Some of them, by name.'),
  })
  .describe('Contracts of an agent that is being drained or was revoked.');
export type Remaining = z.infer<typeof Remaining>;

const words = () => z.array(word()).max(64).optional().meta({ 'x-kubernetes-list-type': 'set' });

/** Facts, not sums: what they mean at a time is `crds/placement/health.ts`. */
export const AgentHealth = z
  .object({
    lastSuccessAt: instant().optional().describe('When it last built something.'),
    failures: z
      .array(
        z.object({
          contractUID: uid().describe('UID of the contract, which may be gone.'),
          at: instant().describe('When the attempt ended.'),
          tenant: z
            .string()
            .length(16)
            .regex(/^[0-9a-f]{16}$/)
            .optional()
            .describe("Beginning of the tenant's public key: failures of one tenant count as one in a run."),
        }),
      )
      .max(16)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['contractUID', 'at'] })
      .describe(
        'Attempts of the last 24 hours that failed and were not the fault of the contract, oldest first.',
      ),
  })
  .describe('How its last attempts ended. Recomputed from the contracts, never only counted.');
export type AgentHealth = z.infer<typeof AgentHealth>;

export const AgentStatus = z
  .object({
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    version: text(64).optional().describe('Version of dc-agent.'),
    provisionerType: provisionerType().optional().describe('What it said it builds with.'),
    lastSeenAt: instant()
      .optional()
      .describe('Written every 5 minutes and when Online flips; the Lease has the truth.'),
    cordonedSince: instant().optional().describe('When the operator saw that it is cordoned.'),
    activeContracts: count().optional().describe('Contracts that it holds and that have not ended.'),
    resources: z
      .object({
        cpu: quantity().optional().describe('Logical CPUs of the host.'),
        memory: quantity().optional().describe('Memory of the host.'),
        storage: quantity().optional().describe('Disk of the host.'),
        gpu: count(64).optional().describe('Whole GPUs of the host; none when absent.'),
        instances: count(10_000).optional().describe('Machines that it can run at a time.'),
      })
      .optional()
      .describe('Size of the machine as it reported; what is free at the moment is not written here.'),
    allocated: Capacity.optional().describe(
      'Promised to contracts that it may have a machine of: their sum, made anew from them each time.',
    ),
    free: Capacity.optional().describe('What may still be promised, by the overcommitment of its pool.'),
    freeText: CapacityText.optional().describe('Of that, what the table shows.'),
    capabilities: words().describe('Named features that it reported.'),
    storageClasses: words().describe('Kinds of disk that it reported.'),
    health: AgentHealth.optional(),
    unhealthy: Unhealthy.optional(),
    remaining: Remaining.optional().describe(
      'Contracts that it still holds though it is being drained or was revoked. Absent: it is neither.',
    ),
    owedDestroys: z
      .array(OwedDestroy)
      .max(4096)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['contractUID', 'epoch'] })
      .describe('Machines whose absence it has not confirmed for 24 hours.'),
    orphans: z
      .object({
        count: count().describe('All of them.'),
        stopped: count().describe('Of these, in quarantine.'),
        waiting: count().describe('Of these, due to be destroyed; only so many go in an hour.'),
      })
      .optional()
      .describe('Machines on its host that no contract accounts for. Absent: there are none.'),
    conditions: conditions(),
  })
  .describe('What was seen of the agent.');

export type Agent = Resource<'Agent', z.infer<typeof AgentSpec>, z.infer<typeof AgentStatus>>;
export type OwedDestroy = z.infer<typeof OwedDestroy>;

export const agentDefinition = defineResource({
  kind: 'Agent',
  plural: 'agents',
  singular: 'agent',
  shortNames: ['dca'],
  scope: 'Namespaced',
  description: 'A dc-agent on one hypervisor.',
  spec: AgentSpec,
  status: AgentStatus,
  columns: [
    { name: 'Pool', type: 'string', jsonPath: '.spec.poolName', description: 'Pool whose work it does.' },
    {
      name: 'Status',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Ready, or why it gets no work.',
    },
    { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Version of dc-agent.' },
    {
      name: 'Active',
      type: 'integer',
      jsonPath: '.status.activeContracts',
      description: 'Contracts it holds.',
    },
    ...FREE_COLUMNS,
    {
      name: 'Last Seen',
      type: 'date',
      jsonPath: '.status.lastSeenAt',
      description: 'Last heartbeat, to 5 minutes.',
    },
    {
      name: 'Online',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Online")].status',
      description: 'Is its heartbeat fresh.',
      priority: 1,
    },
    {
      name: 'Healthy',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Healthy")].status',
      description: 'False: something is wrong by its own word, or a run of failures.',
      priority: 1,
    },
    {
      name: 'Unique',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Unique")].status',
      description: 'False: another process uses its key, as a cloned machine does.',
      priority: 1,
    },
    {
      name: 'Orphans',
      type: 'integer',
      jsonPath: '.status.orphans.count',
      description: 'Machines of no contract.',
      priority: 1,
    },
    { name: 'Label', type: 'string', jsonPath: '.spec.label', description: 'Name for people.', priority: 1 },
    { name: 'Key', type: 'string', jsonPath: '.spec.publicKey', description: 'Public key.', priority: 1 },
    AGE,
  ],
  rules: [STATUS_STAYS],
  selectableFields: ['.spec.publicKey', '.spec.poolName'],
});
