/** What a provider sees of a contract beyond what its tenant does, and what it may ask for. */
import { z } from 'zod';
import { ForceRelease } from '../contract/force-release.ts';
import { PHASES } from '../contract/phase.ts';
import { Abandoned, Attempt, Holder } from '../contract/status.ts';
import { count, instant, text, uid } from '../fields.ts';
import { Acceptance } from '../provider.ts';
import { ContractView } from './market.ts';
import { PlacementView } from './waiting.ts';

export const ContractDetail = z.object({
  message: z.string().nullable().describe('Why it is where it is, in detail.'),
  pool: z.string().nullable().describe('Pool that builds or built it.'),
  agent: z.string().nullable().describe('Agent that builds or built it.'),
  attempts: z
    .array(Attempt)
    .describe('Every try to build it, oldest first; without a database only the last 8.'),
  failures: z.int().describe('Tries that count against the limit, in this round.'),
  capacityReleases: z.int().describe('Times that an agent had no room, in this round.'),
  nextAttemptAt: instant().optional().describe('Nobody is offered it before.'),
  provisionBy: instant().optional().describe('It fails when it is not built by then.'),
  holders: z.array(Holder).describe('Agents that may have a machine of it.'),
  abandoned: z.array(Abandoned).describe('Holders that went without confirming that their machine is gone.'),
  placement: PlacementView.optional().describe(
    'Why it waits for an agent; only where one contract is asked for.',
  ),
  retries: z.int().describe('Retries that were asked for.'),
  canRetry: z.boolean().describe('Whether another retry can be asked for.'),
});
export type ContractDetail = z.infer<typeof ContractDetail>;

export const DeskContractView = ContractView.extend({ detail: ContractDetail });
export type DeskContractView = z.infer<typeof DeskContractView>;

export const DeskListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('At most so many, newest first.'),
  phase: z.enum(PHASES).optional().describe('Only these.'),
});

export const RetryRequest = z
  .strictObject({
    count: count(1_000_000)
      .min(1)
      .optional()
      .describe('`detail.retries` plus one: asking twice is then asking once. One more when absent.'),
  })
  .nullish();

export const ForceReleaseRequest = z.strictObject({
  agentUid: uid().describe('As in `detail.holders`.'),
  epoch: count(Number.MAX_SAFE_INTEGER).describe('As in `detail.holders`.'),
  reason: ForceRelease.shape.reason,
});

export const RespondRequest = z.strictObject({
  accept: z.boolean().describe('True accepts the rental.'),
  note: text(500).optional().describe('What the tenant is told.'),
  memo: text(500).nullish().describe('The same, as other clients call it.'),
});

export const PauseRequest = z
  .strictObject({ reason: text(500).optional().describe('What the tenant is told.') })
  .nullish();

/** All rules at once: what is left out is no rule any more. */
export const AcceptanceRules = z.strictObject(Acceptance.shape);

export const AutoAcceptSettings = z.strictObject({
  autoAcceptRentals: z.boolean().describe('True: every rental that fits is accepted at once.'),
});
