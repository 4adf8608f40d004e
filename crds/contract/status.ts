/** `Contract.status`: what is. Written by the rules beside this file through operator and facade only. */
import { z } from 'zod';
import { conditions } from '../condition.ts';
import { count, instant, name, text, uid } from '../fields.ts';
import type { Rule } from '../resource.ts';
import { AgreedHours, EXTENSIONS_MAX } from './agreed-hours.ts';
import { Abandoned, Attempt } from './attempt.ts';
import { Credentials } from './credentials.ts';
import { MOVES, PHASES } from './phase.ts';

export { Abandoned, ATTEMPT_CLASSES, Attempt } from './attempt.ts';

export const HISTORY_MAX = 32;
export const ATTEMPTS_KEPT = 8;
export const HOLDERS_MAX = 32;

const validations = (...rules: Rule[]) => ({ 'x-kubernetes-validations': rules });

/** Epochs fit a JSON number: generation (below 2^31) × 1,000,000 + n. */
const epoch = () => count(Number.MAX_SAFE_INTEGER);

const reason = () =>
  z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z][A-Za-z0-9]*$/);

/** What a tenant can wish of its running machine. */
export const WISHES = ['Power', 'Restart', 'Reinstall', 'SshKeys', 'Password'] as const;

export const Lock = z
  .object({
    agent: name().describe('Name of the Agent.'),
    agentUID: uid().describe('UID of the Agent.'),
    session: text(64).describe(
      'Session of the agent process that holds it; empty for agents without sessions.',
    ),
    epoch: epoch().describe('Epoch of this grant.'),
    acquiredAt: instant().describe('When it was granted.'),
    renewedAt: instant().describe('When it was last renewed.'),
    expiresAt: instant().describe('For people; the operator alone declares the expiry, by its own clock.'),
  })
  .describe('Who builds at the moment. Present only in Provisioning.');
export type Lock = z.infer<typeof Lock>;

export const Holder = z
  .object({
    agent: name().describe('Name of the Agent.'),
    agentUID: uid().describe('UID of the Agent.'),
    epoch: epoch().describe('Epoch that it was granted.'),
  })
  .describe('An agent that may have a machine of this epoch.');
export type Holder = z.infer<typeof Holder>;

export const HistoryEntry = z
  .object({
    seq: count().describe('Rises by one with every move.'),
    at: instant().describe('When.'),
    from: z.enum(PHASES).optional().describe('Phase before; absent in the first.'),
    to: z.enum(PHASES).describe('Phase after.'),
    by: text(80).describe('Who moved it: operator, or the name of an agent.'),
    reason: reason().describe('Why, as a word.'),
  })
  .describe('One move.');
export type HistoryEntry = z.infer<typeof HistoryEntry>;

export const Instance = z
  .object({
    agentUID: uid().describe('Agent that built it.'),
    epoch: epoch().describe('Epoch that it was built in.'),
    externalId: z.string().min(1).max(256).describe('Name of the machine at its provisioner.'),
  })
  .describe('The one machine of the contract.');
export type Instance = z.infer<typeof Instance>;

const byKey = (...keys: string[]) => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

/** What the agent did last of what the tenant wished; the wishes themselves are counters and states in spec. */
export const Applied = z
  .object({
    powerState: z.enum(['Running', 'Stopped']).optional().describe('How the machine was left.'),
    restart: count().optional().describe('The spec.restart that was carried out.'),
    reinstall: count().optional().describe('The spec.reinstall that was carried out.'),
    passwordReset: count().optional().describe('The spec.passwordReset that was carried out.'),
    sshKeysSHA256: z
      .string()
      .length(64)
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('Hash of the keys that can log in: SHA-256 of the lines of spec.sshPublicKeys.'),
    failed: z
      .array(
        z.object({
          wish: z.enum(WISHES).describe('Which wish.'),
          mark: text(64).describe('Which of them: its number, state or hash.'),
          isFinal: z
            .boolean()
            .describe('True: it cannot be done and is not tried again; wish something else.'),
          message: text(1000).describe('What the agent said, for the provider.'),
          at: instant().describe('When it failed last.'),
        }),
      )
      .max(WISHES.length)
      .optional()
      .meta(byKey('wish'))
      .describe('Wishes that did not work; those that are not final are tried again.'),
  })
  .describe('What the agent did of the wishes in spec.');
export type Applied = z.infer<typeof Applied>;

export const Access = z
  .object({
    host: text(253).optional().describe('Where to log in.'),
    port: z.int().min(1).max(65_535).optional().describe('SSH port.'),
    user: text(64).optional().describe('User to log in as.'),
    hostKeyFingerprint: text(100)
      .optional()
      .describe('SHA256 fingerprint of the SSH host key, as read by the agent.'),
    verifiedAt: instant().optional().describe('When the agent read the SSH banner, or a person confirmed.'),
    addresses: z
      .array(text(64))
      .max(16)
      .optional()
      .describe('All addresses.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
  })
  .describe('How the tenant reaches the machine.');
export type Access = z.infer<typeof Access>;

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
    endsAt: instant().optional().describe('End of the rental.'),
    pausedMs: count(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('Time paused by the provider, credited to the end. Milliseconds.'),
    pausedAt: instant().optional().describe('Since when it is paused.'),
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
