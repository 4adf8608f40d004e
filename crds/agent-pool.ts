/** AgentPool: agents of one provisioner type in one region, and the rules for handing work to them. */
import { z } from 'zod';
import { Capacity, CapacityText, FREE_COLUMNS } from './capacity.ts';
import { conditions } from './condition.ts';
import { FALLBACK_AFTER_MAX_MS } from './contract/numbers.ts';
import { count, instant, name, provisionerType, text, version } from './fields.ts';
import { maintenanceWindows } from './maintenance.ts';
import { REGIONS } from './regions.ts';
import { AGE, defineResource, type Resource, STATUS_STAYS } from './resource.ts';

export const LOCK_TTL_SECONDS_DEFAULT = 300;
export const FALLBACKS_MAX = 8;

/** 100 promises what the host has, 400 four times that, 80 keeps a fifth back. */
const overcommitPercent = () => z.int().min(10).max(10_000).default(100);

export const Overcommit = z
  .object({
    cpuPercent: overcommitPercent().describe('CPU that may be promised, of what the host has. Percent.'),
    memoryPercent: overcommitPercent().describe(
      'Memory that may be promised, of what the host has. Percent.',
    ),
    storagePercent: overcommitPercent().describe('Disk that may be promised, of what the host has. Percent.'),
  })
  .describe('Promise more, or less, than the hosts have; exactly what they have when absent.');

export const PoolUpgrade = z
  .object({
    toVersion: version().describe('Version of dc-agent to run, as in 1.2.0.'),
    notBefore: instant().optional().describe('It is announced from then on; at once when absent.'),
  })
  .describe('Planned upgrade: agents that are older hear of it with their heartbeat, and say so.');

export const AgentPoolSpec = z
  .object({
    displayName: text(100).optional().describe('Name for people; the object name when absent.'),
    location: z
      .enum(REGIONS)
      .describe('Region of the pool. Immutable.')
      .meta({
        'x-kubernetes-validations': [
          { rule: 'self == oldSelf', message: 'a pool keeps its location; make another pool instead' },
        ],
      }),
    provisionerType: provisionerType()
      .describe('What its agents build with, lower case. Immutable.')
      .meta({
        'x-kubernetes-validations': [
          { rule: 'self == oldSelf', message: 'a pool keeps its provisionerType; make another pool instead' },
        ],
      }),
    priority: z
      .int()
      .min(-1000)
      .max(1000)
      .default(0)
      .describe('Of several pools that fit an offering the one with the highest priority is asked first.'),
    fallbackPools: z
      .array(
        z.object({
          name: name().describe('Pool of the same provider.'),
          afterSeconds: count(FALLBACK_AFTER_MAX_MS / 1000).describe(
            'How long a contract must have waited. Seconds; 1800 at most, since it ends when nobody has built it after an hour.',
          ),
        }),
      )
      .max(FALLBACKS_MAX)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .describe(
        'Pools that may take over what waits here, each after its delay, in this order: of any type, never in a region that was not sold. One that could build it by itself waits for its delay too, unless its priority is higher, or equal while it leads back here by its own fallbacks. The condition FallbacksUsable says what comes of each.',
      ),
    lockTTLSeconds: z
      .int()
      .min(5)
      .max(3600)
      .default(LOCK_TTL_SECONDS_DEFAULT)
      .describe('How long a lock lives without renewal. Seconds.'),
    placement: z
      .object({
        strategy: z
          .enum(['Spread', 'Pack'])
          .default('Spread')
          .describe('Spread load over agents, or fill one first.'),
        instancesPerAgent: count(10_000)
          .min(1)
          .optional()
          .describe('Most contracts that one agent holds at a time; what the agent says when absent.'),
        buildsPerAgent: count(10_000)
          .min(1)
          .optional()
          .describe(
            'Most contracts that one agent has locked without having reported a machine of them; 8 when absent, 64 where a person builds.',
          ),
        overcommit: Overcommit.optional(),
      })
      .optional()
      .describe('How an agent is chosen.'),
    minVersion: version()
      .optional()
      .describe('Agents with an older dc-agent get no new work. A version as in 1.2.0.'),
    upgrade: PoolUpgrade.optional(),
    maintenance: maintenanceWindows(),
    paused: z.boolean().default(false).describe('While true nothing new is built in this pool.'),
  })
  .describe('What the provider wants of the pool.');

/** Attempts that say something of who built: no room, or an order that nobody can build, is neither. */
export const Rate = z.object({
  succeeded: count().describe('Machines that were built.'),
  failed: count().describe('Attempts that failed, expired, or whose machine nobody could reach.'),
});
export type Rate = z.infer<typeof Rate>;

export const AgentPoolStatus = z
  .object({
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    agents: count().optional().describe('Agents that joined and are not revoked.'),
    online: count().optional().describe('Agents whose heartbeat is fresh.'),
    onlineText: text(24).optional().describe('Online and joined agents, as in 4/5.'),
    activeContracts: count().optional().describe('Contracts with a holder in this pool that have not ended.'),
    waitingContracts: count().optional().describe('Accepted contracts that wait for an agent of this pool.'),
    allocated: Capacity.optional().describe('Promised to contracts of its agents: their sum.'),
    free: Capacity.optional().describe('What may still be promised, over the agents that take work.'),
    freeText: CapacityText.optional().describe('Of that, what the table shows.'),
    attempts24h: Rate.optional().describe('How the attempts of the last 24 hours of its agents ended.'),
    successText24h: text(8).optional().describe('The share that succeeded, as in 98.7%; a dash for none.'),
    conditions: conditions(),
  })
  .describe('What the operator counted.');

export type AgentPool = Resource<'AgentPool', z.infer<typeof AgentPoolSpec>, z.infer<typeof AgentPoolStatus>>;

export const agentPoolDefinition = defineResource({
  kind: 'AgentPool',
  plural: 'agentpools',
  singular: 'agentpool',
  shortNames: ['pool', 'pools'],
  scope: 'Namespaced',
  description: 'A group of agents of one provisioner type in one region.',
  spec: AgentPoolSpec,
  status: AgentPoolStatus,
  columns: [
    { name: 'Region', type: 'string', jsonPath: '.spec.location', description: 'Region of the pool.' },
    { name: 'Type', type: 'string', jsonPath: '.spec.provisionerType', description: 'Provisioner type.' },
    { name: 'Agents', type: 'integer', jsonPath: '.status.agents', description: 'Agents that joined.' },
    {
      name: 'Online',
      type: 'string',
      jsonPath: '.status.onlineText',
      description: 'Online of joined agents.',
    },
    {
      name: 'Active',
      type: 'integer',
      jsonPath: '.status.activeContracts',
      description: 'Contracts held here.',
    },
    {
      name: 'Waiting',
      type: 'integer',
      jsonPath: '.status.waitingContracts',
      description: 'Contracts that wait.',
    },
    ...FREE_COLUMNS,
    {
      name: 'Success 24h',
      type: 'string',
      jsonPath: '.status.successText24h',
      description: 'Share of attempts that succeeded.',
    },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Can it build.',
    },
    {
      name: 'Message',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].message',
      description: 'Why it is ready, or not.',
      priority: 1,
    },
    AGE,
  ],
  rules: [STATUS_STAYS],
  selectableFields: ['.spec.location', '.spec.provisionerType'],
});
