/**
 * Claim, renew and give back. `then` in an answer orders the agent to go on or to destroy; Destroy is only ever
 * said after a live read of the API server.
 */
import { z } from 'zod';
import { count, instant } from '../fields.ts';
import { epoch, heard, nanoseconds, proof, Session, Then } from './agent-fields.ts';

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
