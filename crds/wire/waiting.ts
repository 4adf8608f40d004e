/** Why a contract waits for an agent: all of it for its provider, and for its tenant what names no machine. */
import { z } from 'zod';
import { count, instant } from '../fields.ts';
import { SCHEDULING_REASONS } from '../placement/explain.ts';
import { PASSED_OVER_REASONS } from '../placement/reasons.ts';

const schedulingReason = () => z.enum(SCHEDULING_REASONS).describe('Why, as a word.');
const passedOverReason = () => z.enum(PASSED_OVER_REASONS).describe('Why it was passed over, as a word.');
const ahead = () => count().describe('Contracts that wait where this one does and came before it.');
const againAt = () => instant().nullable().describe('When the answer may change although nothing happens.');

/** What its tenant is told. */
export const WaitingView = z.object({
  reason: schedulingReason(),
  ahead: ahead(),
  reasons: z
    .array(z.object({ reason: passedOverReason(), message: z.string().describe('The same as a sentence.') }))
    .describe('What stands against machines at the moment, each reason once.'),
  againAt: againAt(),
});
export type WaitingView = z.infer<typeof WaitingView>;

/** What its provider is told. */
export const PlacementView = z.object({
  reason: schedulingReason(),
  message: z.string().describe('The same in sentences, with what would help.'),
  ahead: ahead(),
  waiting: count().describe('All contracts that wait there.'),
  candidates: z
    .array(
      z.object({
        pool: z.string(),
        agent: z.string(),
        score: z.number().describe('0 to 100, by load and health.'),
        mayClaimAt: instant().describe('From then on it may claim.'),
      }),
    )
    .describe('Agents that may build it, the first choice first.'),
  passedOver: z
    .array(
      z.object({
        pool: z.string(),
        agent: z.string().nullable().describe('Null: the whole pool.'),
        agents: count().optional().describe('Of the whole pool: so many agents it has.'),
        reason: passedOverReason(),
        message: z.string().describe('The same as a sentence.'),
        whatHelps: z.string().nullable().describe('What you could do about it.'),
        againAt: instant().nullable().describe('When it ends by itself.'),
      }),
    )
    .describe('Every other pool and agent, and why not.'),
  whatHelps: z.array(z.string()).describe('The easiest ways out, the least trouble first.'),
  againAt: againAt(),
});
export type PlacementView = z.infer<typeof PlacementView>;
