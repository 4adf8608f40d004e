/** `{success: true, data}` around every answer, and RFC 9457 for every refusal. */
import { z } from 'zod';

export const success = <T extends z.ZodType>(data: T) =>
  z.object({ success: z.literal(true).describe('Always true here.'), data });

export const ProblemBody = z
  .object({
    success: z.literal(false).describe('Always false here.'),
    error: z.string().describe('What to do, one sentence.'),
    code: z.string().describe('Stable CamelCase code.'),
    type: z.string().describe('URI of the kind of problem.'),
    title: z.string().describe('The kind of problem in words.'),
    status: z.int().describe('HTTP status.'),
    detail: z.string().describe('What is wrong, with which object.'),
    instance: z.string().optional().describe('Id of this occurrence; the log has it too.'),
    retryable: z.boolean().describe('Whether the same call may succeed later.'),
    errors: z
      .array(
        z.object({
          field: z.string().describe('Path of the field, e.g. resources.cpu.'),
          message: z.string().describe('What is allowed.'),
          pointer: z
            .string()
            .optional()
            .describe('JSON pointer (RFC 6901) within the field, where it has parts of its own.'),
        }),
      )
      .optional()
      .describe('Each field that is not valid.'),
    data: z.unknown().optional().describe('What a client may still want to know, e.g. of a refused lock.'),
  })
  .describe('RFC 9457 problem details.');
export type ProblemBody = z.infer<typeof ProblemBody>;
