/** What came of it: a machine, a failure, an absence, a wish carried out. */
import { z } from 'zod';
import { sealedText } from '../contract/credentials.ts';
import { ATTEMPT_CLASSES, WISHES } from '../contract/status.ts';
import { count, freeForm, instant, publicKey, text } from '../fields.ts';
import { epoch, proof, Session, Then } from './agent-fields.ts';

/** An address or a host name, and a login: tenants read them, so nothing else may hide in them. */
const address = () =>
  z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9:][A-Za-z0-9.:%-]*$/);
const login = () =>
  z
    .string()
    .max(32)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);

export const InstanceDetails = z.strictObject({
  externalId: z.string().min(1).max(256).describe('Name of the machine at its provisioner.'),
  ipAddress: address().nullish().describe('Address for SSH.'),
  ipv6Address: address().nullish().describe('IPv6 address.'),
  publicIp: address().nullish().describe('Public address, where it differs.'),
  sshPort: z.int().min(1).max(65_535).describe('Port for SSH.'),
  sshUser: login().nullish().describe('User to log in as.'),
  hostKeyFingerprint: z
    .string()
    .max(100)
    .regex(/^SHA256:[A-Za-z0-9+/=]{10,60}$/)
    .nullish()
    .describe('SSH host key as the agent read it.'),
  verifiedAt: instant().nullish().describe('When the agent read the SSH banner.'),
  additionalDetails: freeForm().nullish().describe('Anything else; kept out of the contract.'),
});
export type InstanceDetails = z.infer<typeof InstanceDetails>;

export const ProvisionedRequest = z.strictObject({
  epoch: epoch().optional().describe('Epoch of the grant.'),
  session: Session.optional().describe('Session of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
  instanceDetails: InstanceDetails,
  sshKeysSHA256: publicKey().optional().describe('Hash of the keys that it was built with.'),
  proof: proof().optional().describe('As the grant had it.'),
});

const isToldSealed = (it: { passwordReset?: number | undefined; sealedCredentials?: string | undefined }) =>
  (it.passwordReset === undefined) === (it.sealedCredentials === undefined);

/** What was done of the tenant's wishes; each member only when it was carried out. */
export const AppliedRequest = z
  .strictObject({
    epoch: epoch().describe('Epoch of the machine.'),
    session: Session.optional().describe('Session of this process.'),
    incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
    powerState: z.enum(['Running', 'Stopped']).optional().describe('How it was left.'),
    restart: count().optional().describe('The restart that was carried out.'),
    reinstall: count().optional().describe('The re-installation that was carried out.'),
    passwordReset: count().optional().describe('The new password that was set.'),
    sealedCredentials: sealedText()
      .optional()
      .describe('That password, sealed for the tenant; nobody else is told it.'),
    sshKeysSHA256: publicKey().optional().describe('The keys that were set.'),
    failed: z
      .strictObject({
        wish: z.enum(WISHES).describe('Which wish.'),
        mark: text(64).min(1).describe('Which of them: count, state or hash of the order.'),
        isFinal: z.boolean().describe('True: it can never be done and is not ordered again.'),
        message: z.string().min(1).max(4000).describe('What went wrong, for the provider.'),
      })
      .optional()
      .describe('A wish that did not work; it is ordered again unless that is final.'),
    instanceDetails: InstanceDetails.optional().describe(
      'After a re-installation: the host key is another one.',
    ),
  })
  .refine(isToldSealed, 'a new password is told sealed: passwordReset and sealedCredentials go together');

export const FailedRequest = z.strictObject({
  epoch: epoch().optional().describe('Epoch of the grant.'),
  session: Session.optional().describe('Session of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
  errorMessage: z.string().min(1).max(4000).describe('What went wrong, for the provider.'),
  class: z.enum(ATTEMPT_CLASSES).default('transient').describe('Kind of failure.'),
  proof: proof().optional().describe('As the grant had it.'),
});

export const FailedResponse = z.object({
  willRetry: z.boolean().describe('Whether the contract is tried again.'),
  notBefore: instant().optional().describe('When at the earliest.'),
  then: Then,
});

export const TerminatedRequest = z
  .strictObject({
    epoch: epoch().optional().describe('Epoch of the machine that is gone.'),
    session: Session.optional().describe('Session of this process.'),
    incarnation: count(Number.MAX_SAFE_INTEGER).optional().describe('Its incarnation.'),
    proof: proof().optional().describe('As the grant had it.'),
  })
  .nullish();

export const TerminatedResponse = z.object({
  confirmed: z.boolean().describe('Whether an entry was removed now.'),
});
