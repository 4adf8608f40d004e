/** What keeps contracts of one tenant on different hosts: a field of `spec`, of the order through the API, and of its view. */
import { z } from 'zod';
import { word } from '../fields.ts';

export const AntiAffinity = z.object({
  group: word().describe('Contracts of one tenant that name the same group are kept apart.'),
  mode: z
    .enum(['Required', 'Preferred'])
    .default('Preferred')
    .describe('Required: rather wait than share a host. Preferred: share one when nothing else is free.'),
});
