/** The parts of a contract's status that stand for something of their own: its lock, its holders, its moves, its machine. */
import { z } from 'zod';
import { count, instant, name, text, uid } from '../fields.ts';
import { PHASES } from './phase.ts';

/** Epochs fit a JSON number: generation (below 2^31) × 1,000,000 + n. */
export const epoch = () => count(Number.MAX_SAFE_INTEGER);

export const reason = () =>
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

export const byKey = (...keys: string[]) => ({
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
