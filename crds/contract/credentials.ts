/**
 * The password of a machine, between the agent that sets it and the tenant that reads it: sealed for the tenant's
 * key, so that it may lie in the contract's status, where API server, facade and provider see bytes that they
 * cannot open. Bound to contract and number of the wish: put into another contract it opens as nothing.
 */
import { z } from 'zod';
import { openSealed, type Purpose, sealFor } from '../../lib/sealed/seal.ts';
import { count, instant } from '../fields.ts';

/** Base64 of 32 bytes of key, ciphertext and 16 bytes of tag. */
export const sealedText = () =>
  z
    .string()
    .min(64)
    .max(1024)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/);

export const Credentials = z
  .object({
    sealed: sealedText().describe(
      "User and password, sealed for the tenant's key (HPKE); only it can open them.",
    ),
    passwordReset: count().describe('The spec.passwordReset that it belongs to.'),
    setAt: instant().describe('When it was set.'),
  })
  .describe('The password of the machine, readable by its tenant only.');
export type Credentials = z.infer<typeof Credentials>;

/** Which contract (32 hex digits) and which wish for a password it belongs to. */
export type Belonging = Readonly<{ contractId: string; count: number }>;

const Secret = z.object({ user: z.string().optional(), password: z.string() });
export type Secret = z.infer<typeof Secret>;

/** Throws when nothing can be sealed for the tenant's key. */
export const sealCredentials = (tenantPublicKey: string, secret: Secret, about: Belonging): string =>
  sealFor(tenantPublicKey, JSON.stringify(secret), purposeOf(about));

/** Throws when it was sealed for another key, contract or wish. */
export const openCredentials = (seed: string, sealed: string, about: Belonging): Secret =>
  Secret.parse(JSON.parse(openSealed(seed, sealed, purposeOf(about))));

const purposeOf = ({ contractId, count: wish }: Belonging): Purpose => ({
  info: 'dcmarket credentials v1',
  about: `${contractId}/${wish}`,
});
