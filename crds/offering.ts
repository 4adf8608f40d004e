/** Offering: what is for sale. A contract keeps a snapshot of its terms, so it may change or go. */
import { z } from 'zod';
import { conditions } from './condition.ts';
import { count, freeForm, name, PROVISIONER_TYPES, provisionerType, quantity, text } from './fields.ts';
import { COUNTRY_CODES, COUNTRY_HINT, REGIONS } from './regions.ts';
import { Requirements } from './requirements.ts';
import { AGE, defineResource, type Resource, STATUS_STAYS } from './resource.ts';

export const ResourceAmounts = z
  .object({
    cpu: quantity().describe('CPUs, as a Kubernetes quantity.'),
    memory: quantity().describe('Memory, as a Kubernetes quantity.'),
    storage: quantity().describe('Disk, as a Kubernetes quantity.'),
    gpu: count(64).optional().describe('Whole GPUs.'),
  })
  .describe('Size of the machine.');

export const Price = z
  .object({
    amountMinor: count(1_000_000_000).describe(
      'Price of one period in minor units of the currency; 0 is free.',
    ),
    currency: z
      .string()
      .length(3)
      .regex(/^[A-Z]{3}$/)
      .describe('ISO 4217 code.'),
    per: z.enum(['Hour', 'Day', 'Month']).describe('The period; a month is 720 hours.'),
  })
  .describe('What it costs.');

/** What happens at the end of a rental; the same shape in an offering and in the terms of a contract. */
export const Expiry = z
  .object({
    action: z
      .enum(['Terminate', 'Pause'])
      .default('Terminate')
      .describe('Terminate destroys the machine at the end; Pause stops it and destroys it after the grace.'),
    graceHours: count(8760)
      .default(0)
      .describe('How long a stopped machine can be brought back by an extension. Hours; only with Pause.'),
    warnHours: z
      .array(count(8760).min(1))
      .max(4)
      .default([24, 1])
      .describe('So many hours before the end the tenant is warned.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
  })
  .describe('What happens at the end of a rental.');
export type Expiry = z.infer<typeof Expiry>;

/** How hours are priced that are added to a rental; the same shape in an offering and in the terms of a contract. */
export const Extension = z
  .object({
    price: z
      .enum(['Same', 'Current'])
      .default('Same')
      .describe(
        'Same: added hours cost what the terms say. Current: what the offering asks when they are added.',
      ),
  })
  .describe('How an extension is priced.');

/** The same in an offering and in the terms that a contract keeps. */
export const furtherRegions = () =>
  z
    .array(z.enum(REGIONS))
    .max(REGIONS.length)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'set' })
    .describe(
      "Further regions where it may be built, the best first; the country's own is always the first.",
    );
export const furtherTypes = () =>
  z
    .array(provisionerType())
    .max(PROVISIONER_TYPES.length)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'set' })
    .describe('Further provisioner types that may build it, the best first; provisionerType is the first.');

/** Each unit that is rented is a line of `status.reserved`: no more can be sold than can be counted there. */
export const STOCK_MAX = 10_000;

export const OfferingSpec = z
  .object({
    title: z.string().min(1).max(100).describe('Name that tenants see.'),
    description: text(4000).optional().describe('Plain text for tenants.'),
    country: z
      .string()
      .max(64)
      .describe('Where the machine stands: ISO 3166-1 alpha-2, upper case. It routes to a region.')
      .meta({
        'x-kubernetes-validations': [
          { rule: `self in [${COUNTRY_CODES.map((code) => `'${code}'`).join(',')}]`, message: COUNTRY_HINT },
        ],
      }),
    provisionerType: provisionerType().default('proxmox').describe('What it is built with, lower case.'),
    provisionerConfig: freeForm()
      .optional()
      .describe(
        'Settings for the provisioner. Nobody overrides them: what tenants may set is instanceConfig of the contract.',
      ),
    instanceConfigSchema: freeForm()
      .optional()
      .describe(
        'JSON Schema (2020-12, a closed part of it, 8 KiB) that instanceConfig of a contract must fit; anything goes when absent.',
      ),
    poolName: name().optional().describe('Explicit pool; when absent region and provisionerType choose.'),
    regions: furtherRegions(),
    provisionerTypes: furtherTypes(),
    requirements: Requirements.optional(),
    resources: ResourceAmounts,
    price: Price,
    duration: z
      .object({
        minHours: count(87_600).min(1).default(1).describe('Shortest rental. Hours.'),
        maxHours: count(87_600).min(1).default(8760).describe('Longest rental. Hours.'),
        defaultHours: count(87_600)
          .min(1)
          .default(720)
          .describe('Rental when the tenant does not say. Hours.'),
      })
      .default({ minHours: 1, maxHours: 8760, defaultHours: 720 })
      .meta({
        'x-kubernetes-validations': [
          {
            rule: 'self.minHours <= self.defaultHours && self.defaultHours <= self.maxHours',
            message: 'duration needs minHours <= defaultHours <= maxHours',
          },
        ],
      })
      .describe('Limits of a rental.'),
    expiry: Expiry.optional(),
    extension: Extension.optional(),
    stock: count(STOCK_MAX)
      .optional()
      .describe('How many can be rented at a time, at most 10,000; unlimited when absent.'),
    visibility: z
      .enum(['Public', 'Unlisted', 'Private'])
      .default('Public')
      .describe('Public is listed, Unlisted can be rented by who knows it, Private by nobody.'),
    recipe: z
      .object({ name: name().describe('Recipe in the same namespace.') })
      .optional()
      .describe('Script that runs once the machine is there.'),
    allowRecreation: z
      .boolean()
      .default(false)
      .describe('A machine that was lost is built anew, without its data; otherwise the contract fails.'),
  })
  .describe('What the provider sells.');

export const OfferingStatus = z
  .object({
    observedGeneration: count().optional().describe('The metadata.generation that this status is about.'),
    region: z.enum(REGIONS).optional().describe('Region of the country.'),
    pools: z
      .array(name())
      .max(64)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('Pools that can build it, first choice first.'),
    activeContracts: count().optional().describe('Contracts of it that have not ended.'),
    reserved: z
      .array(z.string().max(63))
      .max(STOCK_MAX)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('UIDs of the contracts that hold a unit of finite stock.'),
    conditions: conditions(),
  })
  .describe('What the operator found.');

export type Offering = Resource<'Offering', z.infer<typeof OfferingSpec>, z.infer<typeof OfferingStatus>>;

export const offeringDefinition = defineResource({
  kind: 'Offering',
  plural: 'offerings',
  singular: 'offering',
  shortNames: ['offer'],
  scope: 'Namespaced',
  description: 'Something for sale: size, place, price.',
  spec: OfferingSpec,
  status: OfferingStatus,
  columns: [
    { name: 'Title', type: 'string', jsonPath: '.spec.title', description: 'Name that tenants see.' },
    { name: 'Country', type: 'string', jsonPath: '.spec.country', description: 'Where the machine stands.' },
    { name: 'Type', type: 'string', jsonPath: '.spec.provisionerType', description: 'Provisioner type.' },
    { name: 'CPU', type: 'string', jsonPath: '.spec.resources.cpu', description: 'CPUs.' },
    { name: 'Memory', type: 'string', jsonPath: '.spec.resources.memory', description: 'Memory.' },
    {
      name: 'Price',
      type: 'string',
      jsonPath: '.spec.price.amountMinor',
      description: 'Minor units a period.',
    },
    { name: 'Currency', type: 'string', jsonPath: '.spec.price.currency', description: 'ISO 4217.' },
    { name: 'Per', type: 'string', jsonPath: '.spec.price.per', description: 'The period.' },
    { name: 'Active', type: 'integer', jsonPath: '.status.activeContracts', description: 'Live contracts.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Can it be rented.',
    },
    AGE,
  ],
  rules: [STATUS_STAYS],
  selectableFields: ['.spec.country', '.spec.provisionerType'],
});
