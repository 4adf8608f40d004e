/** What an agent is to do now: build, destroy, carry out a wish. */
import { z } from 'zod';
import { count } from '../fields.ts';
import { contractId, epoch } from './agent-fields.ts';
import { Wanted } from './amounts.ts';

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
  tenantPublicKey: z.string().optional().describe('ResetPassword: whom to seal the password for.'),
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
  wanted: Wanted.optional().describe('The same sizes, not rounded, and its GPUs.'),
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
