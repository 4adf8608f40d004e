/** Bodies of what a tenant asks of a running contract. Each asks once; `If-Match` makes a repeat harmless. */
import { z } from 'zod';
import { sealedText } from '../contract/credentials.ts';
import { freeForm, instant, sshPublicKeys, text } from '../fields.ts';
import { Price } from '../offering.ts';
import { ContractView } from './market.ts';

const AgreedPrice = z.strictObject(Price.shape);

export const ExtendRequest = z.strictObject({
  hours: z.int().min(1).max(87_600).describe('So many hours more.'),
  price: AgreedPrice.optional().describe(
    'What you agree to pay for them; refused with PriceChanged when they cost something else. Default: the price of the contract.',
  ),
  dryRun: z.boolean().default(false).describe('True: only say what it would be, change nothing.'),
});

export const ExtendResponse = z.object({
  contract: ContractView,
  durationHours: z.int().describe('Length of the rental with it. Hours.'),
  endsAt: instant().nullable().describe('End of the rental with it; null while it has not begun.'),
  price: Price.nullable().describe(
    'What these hours are priced at: as the rental, or as its offering now where `extension.pricing` is Current.',
  ),
  costMinor: z.int().describe('What these hours cost. Minor units of the currency.'),
  dryRun: z.boolean().describe('True: nothing was changed.'),
});

export const AutoRenewRequest = z
  .strictObject({
    hours: z.int().min(1).max(8760).describe('Each renewal adds as many hours.'),
    maxHours: z.int().min(1).max(87_600).describe('Never longer than this by itself. Hours.'),
    maxPrice: AgreedPrice.optional().describe(
      'Not at a higher price; in the currency of the contract, and lower than its price only where `extension.pricing` is Current. Default: the price of the contract.',
    ),
  })
  .nullable()
  .describe('null: no longer.');

export const PowerRequest = z.strictObject({
  action: z.enum(['Start', 'Stop', 'Restart']).describe('What to do with the machine.'),
});

export const ReinstallRequest = z
  .strictObject({
    instanceConfig: freeForm()
      .optional()
      .describe('Other settings from now on, as the terms allow; the same as before when absent.'),
  })
  .nullish();

export const SshKeysRequest = z.strictObject({
  sshPublicKeys: sshPublicKeys().describe('Who can log in from now on; the others cannot.'),
});

export const CredentialsView = z.object({
  asked: z.int().describe('How many passwords were asked for.'),
  done: z.int().describe('How many of them were set: not equal, then one is on its way.'),
  problem: z
    .enum(['CannotBeSet', 'TriedAgain'])
    .nullable()
    .describe('Of the one that is on its way: CannotBeSet is final, log in by key.'),
  credentials: z
    .object({
      sealed: sealedText().describe(
        'JSON with user and password, sealed by HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, AES-128-GCM) for the X25519 twin of your key: base64 of encapsulated key and ciphertext. info: `dcmarket credentials v1`, aad: `CONTRACT/passwordReset`.',
      ),
      passwordReset: z.int().describe('Which of them it is.'),
      setAt: instant().describe('When it was set.'),
      user: z.string().nullable().describe('User to log in as, where the sealed part names none.'),
    })
    .nullable()
    .describe('null: none was set since the system was installed.'),
});
export type CredentialsView = z.infer<typeof CredentialsView>;

const labelName = z
  .string()
  .max(32)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);

export const DescribeRequest = z.strictObject({
  name: z.string().min(1).max(63).nullable().optional().describe('Your name for it; null removes it.'),
  description: text(500).nullable().optional().describe('Anything about it, for yourself; null removes it.'),
  labels: z
    .record(labelName, labelValue)
    .refine((labels) => Object.keys(labels).length <= 16, 'at most 16 labels')
    .optional()
    .describe('All labels that it is to have; those that are left out go.'),
});
export type DescribeRequest = z.infer<typeof DescribeRequest>;
