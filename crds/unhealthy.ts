/** What an agent says is wrong with it or its host: the same in its heartbeat, its status and its condition Healthy. */
import { z } from 'zod';
import { text } from './fields.ts';

export const HEALTH_MESSAGE_MAX = 300;
/** As the reason of a condition. */
export const healthReason = () =>
  z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Z][A-Za-z0-9]*$/);

export const Unhealthy = z
  .object({
    reason: healthReason().describe('What is wrong, as a word.'),
    message: text(HEALTH_MESSAGE_MAX).describe('The same as a sentence, with what helps.'),
  })
  .describe('What it said is wrong with it or its host. While it does it gets no new work. Absent: nothing.');
export type Unhealthy = z.infer<typeof Unhealthy>;
