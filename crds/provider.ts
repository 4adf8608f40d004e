/** Provider: who sells. Cluster-scoped, because it names the namespace that holds all the rest of it. */
import { z } from 'zod';
import { conditions } from './condition.ts';
import { count, name, publicKey } from './fields.ts';
import { AGE, defineResource, type Resource, STATUS_STAYS } from './resource.ts';

/** What the provider wants of every rental. */
export const Acceptance = z.object({
  mode: z
    .enum(['Automatic', 'Manual'])
    .default('Automatic')
    .describe('Automatic accepts every rental that fits; Manual waits for spec.decision of each contract.'),
  minDurationHours: count(87_600).min(1).optional().describe('Shorter rentals are rejected. Hours.'),
  maxDurationHours: count(87_600)
    .min(1)
    .optional()
    .describe(
      'Longer rentals are rejected. With extensions and renewals a rental never becomes longer than was the rule when it was ordered. Hours.',
    ),
  allowedTenants: z
    .array(publicKey())
    .max(1000)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'set' })
    .describe('Public keys; when there are any, all others are rejected.'),
  blockedTenants: z
    .array(publicKey())
    .max(1000)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'set' })
    .describe('Public keys that are rejected, whatever else is allowed.'),
});

export const ProviderSpec = z
  .object({
    publicKey: publicKey().describe(
      'Ed25519 public key in 64 lower-case hex characters: who signs with it acts as this provider.',
    ),
    displayName: z.string().min(1).max(100).describe('Name that tenants see.'),
    namespace: name()
      .describe('Namespace that holds everything of this provider. Immutable.')
      .meta({
        'x-kubernetes-validations': [
          {
            rule: 'self == oldSelf',
            message: 'a provider keeps its namespace; make another provider instead',
          },
        ],
      }),
    website: z
      .string()
      .max(200)
      .regex(/^https?:\/\/[^\s]+$/)
      .optional()
      .describe('Web page of the provider.'),
    acceptance: Acceptance.default({ mode: 'Automatic' }).describe('How rental requests are accepted.'),
  })
  .describe('What the provider says of itself; written by the platform operator.');

export const ProviderStatus = z
  .object({
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    conditions: conditions(),
  })
  .describe('What the operator found; written by the operator.');

export type Provider = Resource<'Provider', z.infer<typeof ProviderSpec>, z.infer<typeof ProviderStatus>>;

export const providerDefinition = defineResource({
  kind: 'Provider',
  plural: 'providers',
  singular: 'provider',
  shortNames: ['prov'],
  scope: 'Cluster',
  description: 'A seller of compute: its key, its namespace and how it accepts rentals.',
  spec: ProviderSpec,
  status: ProviderStatus,
  columns: [
    {
      name: 'Display Name',
      type: 'string',
      jsonPath: '.spec.displayName',
      description: 'Name that tenants see.',
    },
    {
      name: 'Namespace',
      type: 'string',
      jsonPath: '.spec.namespace',
      description: 'Where its objects live.',
    },
    {
      name: 'Acceptance',
      type: 'string',
      jsonPath: '.spec.acceptance.mode',
      description: 'Automatic or Manual.',
    },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'May it sell.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why it is ready, or not.',
      priority: 1,
    },
    { name: 'Key', type: 'string', jsonPath: '.spec.publicKey', description: 'Public key.', priority: 1 },
    AGE,
  ],
  rules: [STATUS_STAYS],
  selectableFields: ['.spec.publicKey', '.spec.namespace'],
});
