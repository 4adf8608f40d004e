/** The inventory: every machine on a host, and what is to become of each. */
import { z } from 'zod';
import { count, instant, text, uid } from '../fields.ts';
import { epoch, generation, nanoseconds, proof, Session } from './agent-fields.ts';
import { InstanceDetails } from './reports.ts';

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
