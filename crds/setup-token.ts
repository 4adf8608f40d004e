/** SetupToken: lets one new agent join one pool. The secret itself is never stored, only its SHA-256. */
import { z } from 'zod';
import { conditions } from './condition.ts';
import { count, instant, name, publicKey, sha256Hex, text } from './fields.ts';
import { AGE, defineResource, type Resource, STATUS_STAYS } from './resource.ts';

export const SetupTokenSpec = z
  .object({
    poolName: name().describe('Pool that the agent joins.'),
    label: text(100).optional().describe('Name that the agent gets.'),
    secretSHA256: sha256Hex().describe('SHA-256 of the secret in hex.'),
    prefix: text(40).describe('First characters of the secret, to tell tokens apart.'),
    expiresAt: instant().describe('Until when it can be used.'),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: 'self == oldSelf', message: 'a setup token is immutable; make another' },
    ],
  })
  .describe('Written once, at creation.');

export const SetupTokenStatus = z
  .object({
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    usedAt: instant().optional().describe('When an agent joined with it.'),
    usedByKey: publicKey()
      .optional()
      .describe('Public key of that agent: the same key gets the same answer again.'),
    agentName: name().optional().describe('Name of that Agent.'),
    conditions: conditions(),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '!has(oldSelf.usedByKey) || (has(self.usedByKey) && self.usedByKey == oldSelf.usedByKey)',
        message: 'a setup token works once',
      },
    ],
  })
  .describe('Who used it.');

export type SetupToken = Resource<
  'SetupToken',
  z.infer<typeof SetupTokenSpec>,
  z.infer<typeof SetupTokenStatus>
>;

export const setupTokenDefinition = defineResource({
  kind: 'SetupToken',
  plural: 'setuptokens',
  singular: 'setuptoken',
  shortNames: ['stok'],
  scope: 'Namespaced',
  description: 'A one-time ticket for an agent to join a pool.',
  spec: SetupTokenSpec,
  status: SetupTokenStatus,
  columns: [
    { name: 'Pool', type: 'string', jsonPath: '.spec.poolName', description: 'Pool to join.' },
    { name: 'Label', type: 'string', jsonPath: '.spec.label', description: 'Name of the agent to come.' },
    {
      name: 'Token',
      type: 'string',
      jsonPath: '.spec.prefix',
      description: 'First characters of the secret.',
    },
    {
      name: 'Expires',
      type: 'string',
      jsonPath: '.spec.expiresAt',
      description: 'Until when it can be used.',
    },
    { name: 'Used By', type: 'string', jsonPath: '.status.agentName', description: 'Agent that used it.' },
    AGE,
  ],
  rules: [STATUS_STAYS],
  selectableFields: ['.spec.secretSHA256', '.spec.poolName'],
});
