/** `{success: true, data}` around every answer: the function that makes one and the schemas that describe it. */
import type { z } from 'zod';
import { ProblemBody, success } from '../../crds/wire/envelope.ts';

export const ok = <T>(data: T): { success: true; data: T } => ({ success: true, data });

/** `response` of a route: its answer, and the shape of every refusal. */
export const answers = <T extends z.ZodType>(data: T) => ({ 200: success(data), default: ProblemBody });
export const created = <T extends z.ZodType>(data: T) => ({ 201: success(data), default: ProblemBody });
