/** The Contract resource as the API server knows it: its columns, and the rules that tie spec and status together. */
import { AGE, defineResource, STATUS_STAYS } from '../resource.ts';
import { ACTION_CEL } from './actions.ts';
import { AGREED_PRICE_CEL } from './agreed-price.ts';
import { EXTENSION_CEL } from './extension-limit.ts';
import { FORCE_RELEASE_CEL } from './force-release.ts';
import { FIRST_PHASES } from './phase.ts';
import { RENEWAL_CEL } from './renewal-limit.ts';
import { RETRY_CEL } from './retry.ts';
import { ContractSpec } from './spec.ts';
import { ContractStatus } from './status.ts';

const firstPhases = FIRST_PHASES.map((phase) => `'${phase}'`).join(',');

export const contractDefinition = defineResource({
  kind: 'Contract',
  plural: 'contracts',
  singular: 'contract',
  shortNames: ['ctr'],
  scope: 'Namespaced',
  description: 'One rental, from request to a running machine and to its end.',
  spec: ContractSpec,
  status: ContractStatus,
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where it is in its life.' },
    { name: 'Offering', type: 'string', jsonPath: '.spec.offering.name', description: 'What is rented.' },
    { name: 'Pool', type: 'string', jsonPath: '.status.pool', description: 'Pool that builds it.' },
    { name: 'Agent', type: 'string', jsonPath: '.status.agent', description: 'Agent that builds it.' },
    { name: 'Address', type: 'string', jsonPath: '.status.endpoint', description: 'Where to log in.' },
    {
      name: 'Ends',
      type: 'string',
      jsonPath: '.status.endsAt',
      description: 'End of the rental; none while its provider pauses it.',
    },
    AGE,
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.reason',
      description: 'Why it is there.',
      priority: 1,
    },
    {
      name: 'Message',
      type: 'string',
      jsonPath: '.status.message',
      description: 'In a sentence.',
      priority: 1,
    },
    {
      name: 'Epoch',
      type: 'integer',
      jsonPath: '.status.epoch',
      description: 'Fence of the lock.',
      priority: 1,
    },
  ],
  rules: [
    STATUS_STAYS,
    {
      rule: `has(oldSelf.status) || !has(self.status) || self.status.phase in [${firstPhases}]`,
      message: 'a contract begins as Requested or Accepted',
    },
    ACTION_CEL,
    EXTENSION_CEL,
    AGREED_PRICE_CEL,
    RENEWAL_CEL,
    ...RETRY_CEL,
    FORCE_RELEASE_CEL,
  ],
  selectableFields: ['.status.phase', '.spec.offering.name', '.spec.tenant.publicKey', '.status.agent'],
});
