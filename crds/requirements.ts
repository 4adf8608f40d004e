/** What an offering asks of an agent besides room; the same shape in the terms of a contract. */
import { z } from 'zod';
import { text, word } from './fields.ts';

export const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

export const Requirements = z
  .object({
    selector: z
      .array(
        z
          .object({
            key: z
              .string()
              .min(1)
              .max(253)
              .regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
              .describe('Key of a label.'),
            operator: z
              .enum(SELECTOR_OPERATORS)
              .describe('In, NotIn, Exists or DoesNotExist, as in Kubernetes.'),
            values: z
              .array(text(63))
              .max(16)
              .optional()
              .meta({ 'x-kubernetes-list-type': 'set' })
              .describe('For In and NotIn.'),
          })
          .describe('One condition on a label.')
          .meta({
            'x-kubernetes-validations': [
              {
                rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
                message: 'values are given exactly when operator is In or NotIn',
              },
            ],
          }),
      )
      .max(16)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key', 'operator'] })
      .describe('Conditions on the labels of the Agent object; all must hold.'),
    capabilities: z
      .array(word())
      .max(16)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('Named features that the agent must have reported.'),
    storageClass: word().optional().describe('Kind of disk that the agent must have reported.'),
  })
  .describe('What an agent must be or have, besides room.');
export type Requirements = z.infer<typeof Requirements>;
