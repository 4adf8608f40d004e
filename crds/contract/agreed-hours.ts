/** Hours that were added to a rental at a price of their own, as `status.extensions` keeps them. */
import { z } from 'zod';
import { count, instant } from '../fields.ts';
import { Price } from '../offering.ts';

export const EXTENSIONS_MAX = 64;

/** Neighbours of one price are one entry, so that a bounded list tells of every hour. */
export const AgreedHours = z
  .object({
    seq: count().describe('Rises by one with every entry.'),
    hours: count(87_600).min(1).describe('So many hours were added.'),
    price: Price,
    at: instant().describe('When; the last time where it happened again at the same price.'),
  })
  .describe('Hours that were added at an agreed price.');
export type AgreedHours = z.infer<typeof AgreedHours>;
