/** `Contract.status`: what is. Written by the rules beside this file through operator and facade only. */
import { z } from 'zod';
import { conditions } from '../condition.ts';
import { count, instant, name, text } from '../fields.ts';
import type { Rule } from '../resource.ts';
import { AgreedHours, EXTENSIONS_MAX } from './agreed-hours.ts';
import { Abandoned, Attempt } from './attempt.ts';
import { Credentials } from './credentials.ts';
import { MOVES, PHASES } from './phase.ts';
import {
  Access,
  Applied,
  byKey,
  epoch,
  HistoryEntry,
  Holder,
  Instance,
  Lock,
  reason,
} from './status-parts.ts';

export { Abandoned, ATTEMPT_CLASSES, Attempt } from './attempt.ts';
export { Access, Applied, HistoryEntry, Holder, Instance, Lock, WISHES } from './status-parts.ts';

export const HISTORY_MAX = 32;
export const ATTEMPTS_KEPT = 8;
export const HOLDERS_MAX = 32;

const validations = (...rules: Rule[]) => ({ 'x-kubernetes-validations': rules });

const legalMoves = Object.entries(MOVES).flatMap(([from, to]) =>
  Object.keys(to).map((phase) => `'${from}>${phase}'`),
);

export const ContractStatus = z
  .object({
    phase: z
      .enum(PHASES)
      .describe('Where the contract is in its life.')
      .meta(
        validations({
          rule: `self == oldSelf || oldSelf + '>' + self in [${legalMoves.join(',')}]`,
          messageExpression: "'a contract cannot go from ' + oldSelf + ' to ' + self",
        }),
      ),
    reason: reason().optional().describe('Why it is there or what it waits for, as a word.'),
    message: text(2000).optional().describe('The same as a sentence for people.'),
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    conditions: conditions(),
    epoch: epoch()
      .default(0)
      .describe('Fence: every grant raises it, every report carries it. Only rises.')
      .meta(
        validations({
          rule: 'self >= oldSelf',
          messageExpression: "'the epoch only rises: it is %d, not %d'.format([oldSelf, self])",
        }),
      ),
    lock: Lock.optional(),
    holders: z
      .array(Holder)
      .max(HOLDERS_MAX)
      .optional()
      .meta(byKey('agentUID', 'epoch'))
      .describe('Who may have a machine of this contract. It ends only when this is empty.'),
    abandoned: z
      .array(Abandoned)
      .max(HOLDERS_MAX)
      .optional()
      .meta(byKey('agentUID', 'epoch'))
      .describe('Holders that went without confirming absence, oldest first.'),
    instance: Instance.optional(),
    pool: name().optional().describe('Pool of the agent that builds or built.'),
    agent: name().optional().describe('Agent that builds or built.'),
    access: Access.optional(),
    applied: Applied.optional(),
    credentials: Credentials.optional(),
    endpoint: text(270).optional().describe('host:port of access, for the table.'),
    scheduling: z
      .object({
        reason: reason().describe('Why nobody builds it, as a word.'),
        counts: z
          .array(
            z.object({
              reason: reason().describe('Why these were passed over.'),
              count: count().describe('How many.'),
            }),
          )
          .max(32)
          .optional()
          .meta(byKey('reason'))
          .describe('Agents by the reason they were passed over.'),
        examples: z.array(text(300)).max(16).optional().describe('A line for each of some agents.'),
        at: instant().describe('When this was found.'),
      })
      .optional()
      .describe('Why it waits.'),
    attempts: z
      .array(Attempt)
      .max(ATTEMPTS_KEPT)
      .optional()
      .meta(byKey('agentUID', 'epoch'))
      .describe('The last tries to build, oldest first.'),
    retried: count(1_000_000).optional().describe('The spec.retry that was made last.'),
    attemptsFrom: epoch()
      .optional()
      .describe('Attempts of an epoch below belong to an earlier round and count no more.'),
    failures: count(1000).optional().describe('Tries that count against the limit: failures and expiries.'),
    capacityReleases: count(1000).optional().describe('Times that an agent had no room after all.'),
    nextAttemptAt: instant().optional().describe('Nobody is offered it before.'),
    provisionBy: instant().optional().describe('Overall deadline: when it is not built by then it fails.'),
    provisionedAt: instant()
      .optional()
      .describe('When the machine was reported; it must be verified soon after.'),
    startsAt: instant().optional().describe('First Active; waiting is free.'),
    endsAt: instant()
      .optional()
      .describe('End of the rental; none while its provider pauses it, since that moves it.'),
    pausedMs: count(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('Time paused by the provider, credited to the end once a pause is over. Milliseconds.'),
    pausedAt: instant().optional().describe('Since when it is paused, or was when its machine went.'),
    graceEndsAt: instant()
      .optional()
      .describe('The rental ended and the machine is stopped; until then an extension brings it back.'),
    agreedHours: count(87_600)
      .optional()
      .describe('Hours of spec.durationHours that are agreed; only where extensions cost the current price.'),
    extensions: z
      .array(AgreedHours)
      .max(EXTENSIONS_MAX)
      .optional()
      .meta(byKey('seq'))
      .describe('What was agreed for added hours, oldest first; all other hours cost what the terms say.'),
    renewedHours: count(87_600).optional().describe('Hours that spec.autoRenew has added.'),
    warnedEndsAt: instant().optional().describe('The end that the last warning was about.'),
    warnedHours: count(8760).optional().describe('How many hours before that end the last warning came.'),
    history: z
      .array(HistoryEntry)
      .max(HISTORY_MAX)
      .optional()
      .meta(byKey('seq'))
      .describe('The last moves, oldest first; the archive has all of them.'),
  })
  .meta(
    validations(
      {
        rule: "has(self.lock) == (self.phase == 'Provisioning')",
        message: 'a contract has a lock exactly while it is Provisioning',
      },
      {
        rule: "has(self.instance) || !(self.phase in ['Provisioned','Active','Paused'])",
        message: 'a contract that is Provisioned, Active or Paused has an instance',
      },
      {
        rule: "!(self.phase in ['Rejected','Cancelled','Expired','Failed']) || !has(self.holders) || size(self.holders) == 0",
        message: 'a contract ends only when nobody may still have a machine of it',
      },
    ),
  )
  .describe('What is; written by operator and facade.');
export type ContractStatus = z.infer<typeof ContractStatus>;
