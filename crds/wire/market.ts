/** What tenants and visitors see: offerings, providers, contracts, regions. */
import { z } from 'zod';
import { AntiAffinity } from '../contract/anti-affinity.ts';
import { PHASES } from '../contract/phase.ts';
import { WISHES } from '../contract/status.ts';
import { count, freeForm, instant, name, publicKey, sshPublicKey, text } from '../fields.ts';
import { Price, ResourceAmounts } from '../offering.ts';
import { REGIONS } from '../regions.ts';
import { WaitingView } from './waiting.ts';

export const ContractId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe('Public id of a contract: 32 hex characters.');

export const CreateProviderRequest = z.strictObject({
  name: name().describe('Name of the Provider object.'),
  displayName: z.string().min(1).max(100).optional().describe('Name that tenants see.'),
});

export const ProviderView = z.object({
  name: name().describe('Name of the Provider object.'),
  pubkey: publicKey().describe('Its key.'),
  displayName: text(100).describe('Name.'),
  website: z.string().nullable().describe('Web page.'),
  ready: z.boolean().describe('May it sell.'),
});
export type ProviderView = z.infer<typeof ProviderView>;

export const RegionView = z.object({
  region: z.enum(REGIONS).describe('Identifier.'),
  name: z.string().describe('Name.'),
  countries: z.array(z.string()).describe('ISO 3166-1 alpha-2 codes.'),
});

export const OfferingView = z.object({
  offeringId: z.string().describe('namespace/name: what to rent by.'),
  uid: z.string().describe('UID, also accepted as id.'),
  name: name().describe('Name, accepted as id where it is unique.'),
  provider: z
    .object({ name: z.string(), displayName: z.string(), pubkey: z.string() })
    .describe('Who sells.'),
  title: z.string().describe('Title.'),
  description: z.string().nullable().describe('Plain text.'),
  country: z.string().describe('Where it stands.'),
  region: z.enum(REGIONS).nullable().describe('Region of the country.'),
  regions: z.array(z.enum(REGIONS)).describe('Regions where it may be built, the best first.'),
  provisionerType: z.string().describe('What it is built with.'),
  provisionerTypes: z.array(z.string()).describe('All that it may be built with, the best first.'),
  resources: ResourceAmounts,
  price: Price,
  duration: z
    .object({ minHours: z.int(), maxHours: z.int(), defaultHours: z.int() })
    .describe('Limits of a rental, as offering and provider allow it.'),
  extensionPricing: z
    .enum(['Same', 'Current'])
    .describe('What added hours cost: the same, or the price of that moment.'),
  instanceConfigSchema: freeForm()
    .optional()
    .describe('JSON Schema that `instanceConfig` of a rental must fit; anything goes when absent.'),
  inStock: z.boolean().describe('Can it be rented now.'),
  available: z.boolean().describe('Is an agent online that could build it.'),
});
export type OfferingView = z.infer<typeof OfferingView>;

export const ListOfferingsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Length of a page.'),
  cursor: z.string().max(300).optional().describe('From the Link header of the page before.'),
  country: z.string().length(2).optional().describe('ISO 3166-1 alpha-2.'),
  region: z.enum(REGIONS).optional().describe('Region where it may be built.'),
  provisionerType: z.string().max(32).optional().describe('What it may be built with.'),
  provider: z.string().max(64).optional().describe('Name or key of the provider.'),
  maxPriceMinor: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Highest price of a period, minor units.'),
  q: z.string().max(100).optional().describe('Words in title, description or name.'),
});

export const RentRequest = z.strictObject({
  offeringId: z.string().min(1).max(200).describe('namespace/name, uid, or a name that is unique.'),
  sshPublicKey: sshPublicKey().describe('Who can log in: one line as in authorized_keys.'),
  durationHours: z.int().min(1).max(87_600).optional().describe('Length of the rental. Hours.'),
  paymentMethod: text(32).optional().describe('How to pay; free offerings need none.'),
  name: z.string().min(1).max(63).optional().describe('Your name for it.'),
  antiAffinity: z
    .strictObject(AntiAffinity.shape)
    .optional()
    .describe('Keeps it on another host than your other contracts of this group.'),
  instanceConfig: freeForm()
    .optional()
    .describe('Settings; they must fit `instanceConfigSchema` of the offering.'),
});

export const RentResponse = z.object({
  contractId: ContractId,
  name: name().describe('Name of the Contract object.'),
  phase: z.enum(PHASES).describe('Where it is.'),
  message: z.string().describe('What happens next.'),
  checkoutUrl: z.string().optional().describe('Where to pay.'),
});
export type RentResponse = z.infer<typeof RentResponse>;

export const ContractView = z.object({
  contractId: ContractId,
  name: name().describe('Name of the Contract object.'),
  displayName: z.string().nullable().describe('Your name for it.'),
  description: z.string().nullable().describe('What you wrote about it.'),
  labels: z.record(z.string(), z.string()).describe('Labels that you gave it.'),
  provider: z
    .object({ name: z.string(), displayName: z.string(), pubkey: z.string() })
    .describe('Who sells.'),
  offering: z.object({ offeringId: z.string(), title: z.string() }).describe('What is rented.'),
  phase: z.enum(PHASES).describe('Where it is in its life.'),
  reason: z.string().nullable().describe('Why, as a word.'),
  message: z.string().describe('Why, as a sentence.'),
  waitingOn: z.string().optional().describe('What it waits for.'),
  waiting: WaitingView.optional().describe(
    'Why it waits for an agent; only where one contract is asked for.',
  ),
  conditions: z.array(
    z.object({
      type: z.string(),
      status: z.string(),
      reason: z.string(),
      message: z.string(),
      lastTransitionTime: instant(),
    }),
  ),
  access: z
    .object({
      host: z.string().nullable(),
      port: z.int().nullable(),
      user: z.string().nullable(),
      hostKeyFingerprint: z.string().nullable(),
      verifiedAt: instant().nullable(),
    })
    .optional()
    .describe('How to reach the machine.'),
  createdAt: instant(),
  startsAt: instant().optional(),
  endsAt: instant()
    .optional()
    .describe('End of the rental; while its provider pauses it, what it is if it goes on now.'),
  provisionBy: instant()
    .optional()
    .describe('Until then it is tried to build it; then it ends. Only while it is not built.'),
  durationHours: z.int().nullable(),
  autoRenew: z
    .object({ hours: z.int(), maxHours: z.int(), maxPrice: Price.optional() })
    .nullable()
    .describe('Renews itself by so many hours, up to so many in all.'),
  antiAffinity: AntiAffinity.nullable().describe('Your contracts of this group are kept on different hosts.'),
  graceEndsAt: instant().optional().describe('It ended; until then an extension brings it back.'),
  powerState: z.enum(['Running', 'Stopped']).describe('What you want it to be.'),
  wishes: z
    .array(z.object({ wish: z.enum(WISHES), state: z.enum(['Open', 'TriedAgain', 'CannotBeDone']) }))
    .describe('What you asked of the machine and is not done yet.'),
  price: Price.nullable(),
  extension: z
    .object({
      pricing: z
        .enum(['Same', 'Current'])
        .describe('Same: added hours cost what the rental does. Current: what its offering asks then.'),
      price: Price.nullable().describe('What added hours cost now.'),
      agreed: z
        .array(z.object({ hours: z.int(), price: Price, at: instant() }))
        .describe('Hours that were added at a price of their own, oldest first.'),
      pendingHours: z.int().describe('Hours that were asked for and wait until their price is agreed.'),
      message: z.string().nullable().describe('What became of the last that was asked for.'),
    })
    .describe('What it costs to rent it for longer.'),
  paymentStatus: z
    .enum(['NotRequired', 'Pending', 'Succeeded', 'Refunded'])
    .describe('NotRequired for what is free.'),
  cancelRequested: z.boolean(),
  epoch: count(Number.MAX_SAFE_INTEGER).describe('Fence of the lock.'),
  history: z.array(
    z.object({ at: instant(), from: z.enum(PHASES).nullable(), to: z.enum(PHASES), reason: z.string() }),
  ),
  archived: z.boolean().describe('True when it ended and left the cluster.'),
});
export type ContractView = z.infer<typeof ContractView>;

export const CancelRequest = z
  .strictObject({ note: text(500).optional().describe('Why.'), memo: text(500).nullish() })
  .nullish();

export const ListContractsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Length of a page.'),
  cursor: z.string().max(300).optional().describe('From the Link header of the page before.'),
  phase: z.enum(PHASES).optional().describe('Only these.'),
});
