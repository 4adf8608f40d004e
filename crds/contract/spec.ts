/** `Contract.spec`: what is wanted, and who may write it. CEL rules keep one-way wishes one-way. */
import { z } from 'zod';
import { count, freeForm, NO_KEY, name, provisionerType, publicKey, sshPublicKeys, text } from '../fields.ts';
import { Expiry, Extension, furtherRegions, furtherTypes, Price, ResourceAmounts } from '../offering.ts';
import { REGIONS } from '../regions.ts';
import { Requirements } from '../requirements.ts';
import type { Rule } from '../resource.ts';
import { AntiAffinity } from './anti-affinity.ts';
import { forceRelease } from './force-release.ts';

const validations = (...rules: Rule[]) => ({ 'x-kubernetes-validations': rules });

export const TermsSnapshot = z
  .object({
    offeringUID: text(36).describe('UID of the offering that was rented.'),
    title: text(100).describe('Its title at that time.'),
    country: text(2).describe('Where the machine stands.'),
    region: z.enum(REGIONS).describe('Region of the country.'),
    provisionerType: provisionerType().describe('What it is built with.'),
    provisionerConfig: freeForm().optional().describe('Settings for the provisioner.'),
    instanceConfigSchema: freeForm().optional().describe('JSON Schema that instanceConfig must fit.'),
    poolName: name().optional().describe('Explicit pool of the offering.'),
    regions: furtherRegions(),
    provisionerTypes: furtherTypes(),
    requirements: Requirements.optional(),
    resources: ResourceAmounts,
    price: Price,
    recipe: z
      .object({
        name: name().describe('Recipe in the same namespace.'),
        revision: count(1_000_000).describe('Revision at that time.'),
      })
      .optional()
      .describe('Script that runs once the machine is there.'),
    allowRecreation: z.boolean().default(false).describe('A lost machine is built anew.'),
    maxHours: count(87_600)
      .optional()
      .describe(
        'Longest rental, extensions and renewals included, as offering and provider allowed it. Hours.',
      ),
    expiry: Expiry.optional(),
    extension: Extension.optional(),
  })
  .describe('The terms at the time of renting. Changing or deleting the offering does not change them.');
export type TermsSnapshot = z.infer<typeof TermsSnapshot>;

export const ContractSpec = z
  .object({
    offering: z
      .object({ name: name().describe('Offering in the same namespace.') })
      .describe('What is rented. Immutable.')
      .meta(
        validations({ rule: 'self == oldSelf', message: 'a contract keeps its offering; rent another one' }),
      ),
    tenant: z
      .object({ publicKey: publicKey().describe('Ed25519 key whose signatures act for the tenant.') })
      .describe('Who rents. Immutable.')
      .meta(validations({ rule: 'self == oldSelf', message: 'a contract keeps its tenant' })),
    sshPublicKeys: sshPublicKeys()
      .describe('Who can log in, one authorized_keys line each. Written by the tenant.')
      .meta(validations({ rule: 'size(self) > 0', message: NO_KEY })),
    durationHours: count(87_600)
      .min(1)
      .optional()
      .describe('Length of the rental. Hours, only upwards (extension). Default: the offering says.')
      .meta(
        validations({
          rule: 'self >= oldSelf',
          messageExpression: "'durationHours only rises: it is %d, not %d'.format([oldSelf, self])",
        }),
      ),
    agreedPrice: Price.optional().describe(
      'What the tenant agrees to pay for added hours: nothing is added at another price. Default: the price of the terms, which is the only one where extensions do not cost the current price.',
    ),
    autoRenew: z
      .object({
        hours: count(8760).min(1).describe('Each renewal adds as many hours.'),
        maxHours: count(87_600)
          .min(1)
          .describe('The rental never becomes longer than this by itself. Hours.'),
        maxPrice: Price.optional().describe(
          'It is not renewed at a higher price. In the currency of the terms; lower than their price only where extensions cost the current one. Default: the price of the terms.',
        ),
      })
      .optional()
      .describe(
        'Renews the rental at its end, up to a cap of hours, at the price of its terms or, where extensions cost the current price, at that up to maxPrice. Written by the tenant.',
      ),
    powerState: z
      .enum(['Running', 'Stopped'])
      .default('Running')
      .describe('Is the machine to run. Written by the tenant.'),
    restart: count()
      .default(0)
      .describe('Raise it to restart once. Written by the tenant.')
      .meta(
        validations({ rule: 'self >= oldSelf', message: 'restart only rises; each rise is one restart' }),
      ),
    reinstall: count()
      .default(0)
      .describe('Raise it to re-install once. Written by the tenant.')
      .meta(
        validations({
          rule: 'self >= oldSelf',
          message: 'reinstall only rises; each rise is one re-installation',
        }),
      ),
    passwordReset: count()
      .default(0)
      .describe('Raise it to get a new password once. Written by the tenant.')
      .meta(
        validations({
          rule: 'self >= oldSelf',
          message: 'passwordReset only rises; each rise is one new password',
        }),
      ),
    retry: count(1_000_000)
      .default(0)
      .describe('Raise it to try again what failed. Written by the provider.')
      .meta(validations({ rule: 'self >= oldSelf', message: 'retry only rises; each rise is one retry' })),
    forceRelease: forceRelease(),
    cancel: z
      .object({
        requested: z.boolean().describe('True ends the contract; there is no way back.'),
        note: text(500).optional().describe('Why, for the other side.'),
        by: z.enum(['Tenant', 'Provider']).optional().describe('Who asked; Tenant when absent.'),
      })
      .optional()
      .describe('Wish to end it. Written by tenant or provider; `kubectl delete contract` means the same.')
      .meta(
        validations({
          rule: '!oldSelf.requested || self.requested',
          message: 'a cancellation cannot be taken back',
        }),
      ),
    decision: z
      .object({
        verdict: z.enum(['Accept', 'Reject']).describe('The decision.'),
        note: text(500).optional().describe('What the tenant is told.'),
      })
      .optional()
      .describe('Written by the provider where acceptance is by hand. Immutable once made.')
      .meta(
        validations({
          rule: 'self == oldSelf',
          message: 'a decision cannot be changed; cancel the contract instead',
        }),
      ),
    pause: z
      .object({
        requested: z.boolean().describe('True suspends the machine.'),
        reason: text(500).optional().describe('What the tenant is told.'),
      })
      .optional()
      .describe('Written by the provider.'),
    antiAffinity: AntiAffinity.optional().describe(
      'Keeps contracts of the tenant on different hosts. Read when a host is chosen.',
    ),
    instanceConfig: freeForm()
      .optional()
      .describe("The tenant's settings; they must fit instanceConfigSchema of the terms."),
    termsSnapshot: TermsSnapshot.optional()
      .describe('Written once, at creation by the facade or before acceptance by the operator. Immutable.')
      .meta(validations({ rule: 'self == oldSelf', message: 'the terms of a contract cannot be changed' })),
  })
  .meta(
    validations(
      {
        rule: '!has(oldSelf.termsSnapshot) || has(self.termsSnapshot)',
        message: 'the terms of a contract cannot be removed',
      },
      {
        rule: '!has(oldSelf.durationHours) || has(self.durationHours)',
        message: 'durationHours cannot be removed',
      },
      {
        rule: '!has(oldSelf.forceRelease) || has(self.forceRelease)',
        message: 'what was released by force stays on record',
      },
      { rule: '!has(oldSelf.decision) || has(self.decision)', message: 'a decision cannot be removed' },
      {
        rule: '!has(oldSelf.cancel) || !oldSelf.cancel.requested || has(self.cancel)',
        message: 'a cancellation cannot be taken back',
      },
    ),
  )
  .describe('What tenant and provider want of the contract.');
export type ContractSpec = z.infer<typeof ContractSpec>;
